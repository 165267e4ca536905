"""Prints results in the form of benches/RESULTS.md."""

from cases import Case
from figures import median, mib


def case_table(results: dict, chosen: list[str]) -> str:
    """One case: a row per engine, the fastest first, and how `fs` compares with the fastest of the others."""
    case = Case(**results["case"])
    engines = {name: engine for name, engine in results["engines"].items() if name in chosen and engine["runs"]}
    lines = [
        f"### {case.feature_rows // 10**6} M x {spine_rows(case)}, {case.keys} keys, {views(case)}",
        "",
        "| Engine | Wall | CPU | Peak memory | without mapped files | Answer |",
        "|---|---:|---:|---:|---:|---|",
    ]
    expected = reference(engines)
    ended = {name: median(engine["runs"]) for name, engine in engines.items()}
    order = sorted(ended, key=lambda name: (name != "fs", ended[name] is None, ended[name] and ended[name]["wall"]))
    for name in order:
        engine, middle = engines[name], ended[name]
        if middle is None:
            outcome = engine["runs"][-1]
            lines.append(f"| {engine['title']} | | | | | {outcome['outcome']} after {outcome['wall']:.0f} s |")
            continue
        figures = f"{middle['wall']:.2f} s | {middle['cpu']:.2f} s | {mib(middle['peak_bytes'])}"
        anonymous, answer = mib(middle["peak_anonymous_bytes"]), verdict(engine["answer"], expected)
        lines.append(f"| {engine['title']} | {figures} | {anonymous} | {answer} |")
    return "\n".join([*lines, "", *comparison(ended, engines), ""])


def comparison(ended: dict, engines: dict) -> list[str]:
    others = [name for name in ended if name != "fs" and ended[name]]
    if not ended.get("fs") or not others:
        return []
    fastest = min(others, key=lambda name: ended[name]["wall"])
    share = {figure: ended["fs"][figure] / ended[fastest][figure] for figure in ("wall", "cpu", "peak_bytes")}
    title = engines[fastest]["title"]
    return [
        f"Beside the fastest of the others ({title}), `fs` takes {share['wall']:.2f} of the wall time, "
        f"{share['cpu']:.2f} of the CPU time and {share['peak_bytes']:.2f} of the peak memory."
    ]


def ingest_table(all_results: list[dict]) -> str:
    """What bringing the files into Delta tables took, which the training sets do not include."""
    lines = [
        "### Ingest (`fs materialize`, timed apart)",
        "",
        "| Case | Wall | CPU | Peak memory | Files | Delta tables |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for results in all_results:
        case, run = Case(**results["case"]), results["ingest"]
        if run:
            rows = f"{case.feature_rows // 10**6} M, {case.keys}, {views(case)}"
            figures = f"{run['wall']:.1f} s | {run['cpu']:.1f} s | {mib(run['peak_bytes'])}"
            lines.append(f"| {rows} | {figures} | {mib(run['source_bytes'])} | {mib(run['table_bytes'])} |")
    return "\n".join([*lines, ""])


def reference(engines: dict) -> dict | None:
    """The answer that the others are held against: that of `fs`, without it that of the first engine with one."""
    answers = [engines[name]["answer"] for name in sorted(engines, key=lambda name: name != "fs")]
    return next((answer for answer in answers if answer and answer["digest"]), None)


def verdict(answer: dict | None, expected: dict | None) -> str:
    if not answer or not expected:
        return "not checked"
    if answer is expected:
        return "the reference"
    if answer["digest"] is None:
        return f"not readable: {answer['error']}"
    if answer["digest"] == expected["digest"]:
        return "equal"
    if answer["rows"] != expected["rows"]:
        return f"different: {answer['rows']:,} of {expected['rows']:,} rows"
    return "different"


def spine_rows(case: Case) -> str:
    return f"{case.spine_rows // 10**6} M" if case.spine_rows >= 10**6 else f"{case.spine_rows // 1000} k"


def views(case: Case) -> str:
    return "1 view" if case.views == 1 else f"{case.views} views"
