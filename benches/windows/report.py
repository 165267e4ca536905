"""Prints results in the form of benches/RESULTS.md, and says which targets were reached."""

from cases import Case
from competitors import OURS
from figures import median, mib

# What is aimed at, with this many events.
AIMED_AT = "10m"
TIMES_FASTER = 5.0
EIGHT_OVER_ONE = 2.0


def case_table(results: dict, chosen: list[str]) -> str:
    """One case: a row per engine, `fs` first, then the fastest of the others first."""
    case = Case(**results["case"])
    engines = {name: engine for name, engine in results["engines"].items() if name in chosen and engine["runs"]}
    ended = {name: median(engine["runs"]) for name, engine in engines.items()}
    lines = [
        f"### {rows(case.event_rows)} x {rows(case.spine_rows)}, {case.keys} keys",
        "",
        "| Engine | Windows | Wall | CPU | Peak memory | without mapped files | Answer |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    ours = [name for name in engines if name == OURS or name.startswith(f"{OURS}-")]
    ours.sort(key=lambda name: engines[name]["windows"])
    others = sorted(
        (name for name in engines if name not in ours),
        key=lambda name: (ended[name] is None, ended[name] and ended[name]["wall"]),
    )
    lines += [line(engines[name], ended[name]) for name in [*ours, *others]]
    return "\n".join([*lines, "", *comparisons(case, ended, engines, others), ""])


def line(engine: dict, middle: dict | None) -> str:
    start = f"| {engine['title'].split(', 1 w')[0].split(', 8 w')[0]} | {engine['windows']} | "
    if middle is None:
        last = engine["runs"][-1]
        return f"{start} | | | | {last['outcome']} after {last['wall']:.0f} s |"
    sizes = f"{mib(middle['peak_bytes'])} | {mib(middle['peak_anonymous_bytes'])}"
    return f"{start}{middle['wall']:.2f} s | {middle['cpu']:.2f} s | {sizes} | {verdict(engine['answer'])} |"


def comparisons(case: Case, ended: dict, engines: dict, others: list[str]) -> list[str]:
    """`fs` beside the fastest of the others, and eight windows beside one."""
    found = []
    finished = [name for name in others if ended[name]]
    if ended.get(OURS) and finished:
        fastest = min(finished, key=lambda name: ended[name]["wall"])
        times = {figure: ended[fastest][figure] / ended[OURS][figure] for figure in ("wall", "cpu", "peak_bytes")}
        target = aimed_at(case, f"{TIMES_FASTER:g} times as fast", times["wall"] >= TIMES_FASTER)
        found.append(
            f"The fastest of the others ({engines[fastest]['title']}) takes {times['wall']:.1f} times the wall time of "
            f"`fs`, {times['cpu']:.1f} times its CPU time and {times['peak_bytes']:.1f} times its peak memory{target}."
        )
    if ended.get("fs-1") and ended.get("fs-8"):
        wall, cpu = (ended["fs-8"][figure] / ended["fs-1"][figure] for figure in ("wall", "cpu"))
        target = aimed_at(case, f"at most {EIGHT_OVER_ONE:g} times", wall <= EIGHT_OVER_ONE)
        found.append(f"Eight windows take {wall:.2f} times the wall time of one, {cpu:.2f} times its CPU time{target}.")
    return found


def aimed_at(case: Case, target: str, is_reached: bool) -> str:
    if case.size != AIMED_AT:
        return ""
    return f" ({target}: {'reached' if is_reached else '**missed**'})"


def ingest_table(all_results: list[dict]) -> str:
    """What bringing the files into Delta tables took, which the training sets do not include."""
    if not any(results["ingest"] for results in all_results):
        return ""
    lines = [
        "### Ingest (`fs materialize`, timed apart)",
        "",
        "| Case | Wall | CPU | Peak memory | Files | Delta table |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for results in all_results:
        case, run = Case(**results["case"]), results["ingest"]
        if run:
            figures = f"{run['wall']:.1f} s | {run['cpu']:.1f} s | {mib(run['peak_bytes'])}"
            sizes = f"{mib(run['source_bytes'])} | {mib(run['table_bytes'])}"
            lines.append(f"| {rows(case.event_rows)}, {case.keys} | {figures} | {sizes} |")
    return "\n".join([*lines, ""])


def verdict(answer: dict | None) -> str:
    if not answer:
        return "not checked"
    if "error" in answer:
        return f"not readable: {answer['error']}"
    if answer["wrong"]:
        return "different: " + ", ".join(f"{count:,} of {name}" for name, count in answer["wrong"].items())
    if answer["is_reference"]:
        return "the reference"
    return f"equal, sums within {answer['off']:.0e}" if answer["off"] else "equal"


def rows(count: int) -> str:
    return f"{count // 10**6} M" if count >= 10**6 else f"{count // 1000} k"
