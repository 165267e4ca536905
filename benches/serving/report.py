"""Prints results in the form of benches/RESULTS.md, and says which targets were reached."""

import datetime
import statistics

from cases import SIZES

FLOOR, OURS = "floor", "fs-redis-native"
# What is aimed at (benches/serving/README.md).
P50_OVER_FLOOR, P99_OVER_FLOOR, THROUGHPUT_OF_FLOOR = 1.5, 2.0, 0.7
OVER_FEAST, HTTP_OVER_FEAST = 50.0, 20.0
P99_MICROS = {"1x50": 800.0, "100x50": 17_000.0}
MEMORY_OF_FEAST = 0.6
FLAT_PER_TEN_MINUTES = 0.02


def medians(runs: list[dict]) -> dict:
    """The middle of each figure over the runs."""

    def middle(get) -> float:
        return statistics.median(get(run) for run in runs)

    return {
        "p50": middle(lambda run: run["one"]["latency_micros"]["p50"]),
        "p99": middle(lambda run: run["one"]["latency_micros"]["p99"]),
        "one_per_second": middle(lambda run: run["one"]["requests_per_second"]),
        "per_second": middle(lambda run: run["many"]["requests_per_second"]),
        "server_cores": middle(lambda run: run["many"]["server_cores"]),
        "answer_bytes": middle(lambda run: run["one"]["received_bytes"] / max(run["one"]["requests"], 1)),
    }


def text(results: dict) -> str:
    """The whole report."""
    today = datetime.date.today().isoformat()
    of = f"Medians of {results['runs']} runs" if results["runs"] > 1 else "One run"
    lines = [
        "## Online lookups (`make bench-serving`)",
        "",
        "What is measured, how to read it and how to repeat it is in [serving/README.md](serving/README.md).",
        f"{of} of {results['seconds']:g} s, {results['entities']:,} entities, {today}: "
        f"{', '.join(results['versions'])}.",
        "",
    ]
    middles = {
        size: {name: medians(system["runs"]) for name, system in systems.items() if system["runs"]}
        for size, systems in results["sizes"].items()
    }
    titles = {name: system["title"] for systems in results["sizes"].values() for name, system in systems.items()}
    for size in [size.name for size in SIZES if size.name in middles]:
        lines += [*size_table(size, middles[size], titles, results["rates"].get(size, {})), ""]
    lines += [*memory_table(results.get("memory")), *soak_table(results.get("soak"))]
    lines += ["### Targets", "", "| Target | Found | |", "|---|---|---|"]
    lines += [
        f"| {target} | {found} | {'reached' if reached else '**missed**'} |"
        for target, found, reached in targets(results, middles)
    ]
    return "\n".join(lines)


def size_table(size: str, systems: dict, titles: dict, rates: dict) -> list[str]:
    entities, features = size.split("x")
    lines = [
        f"### {entities} {'entity' if entities == '1' else 'entities'} x {features} features",
        "",
        "| | p50 | p99 | beside the floor | one caller | many callers | of the floor | µs of the server | bytes |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    floor = systems.get(FLOOR)
    for name, found in systems.items():
        beside = of = ""
        if floor and name != FLOOR:
            beside = f"{found['p50'] / floor['p50']:.2f}, {found['p99'] / floor['p99']:.2f}"
            of = f"{found['per_second'] / floor['per_second']:.2f}"
        cost = found["server_cores"] * 1e6 / max(found["per_second"], 1e-9)
        lines.append(
            f"| {titles[name]} | {micros(found['p50'])} | {micros(found['p99'])} | {beside} "
            f"| {rate(found['one_per_second'])} | {rate(found['per_second'])} | {of} "
            f"| {cost:,.0f} | {found['answer_bytes']:,.0f} |"
        )
    if rates:
        bound = next(iter(rates.values()))["p99_bound_micros"]
        said = [f"{titles[name]} {rate(found['greatest_per_second'] or 0)}" for name, found in rates.items()]
        lines += ["", f"The greatest rate of an open loop with p99 at most {micros(bound)}: {', '.join(said)}."]
    return lines


def memory_table(memory: dict | None) -> list[str]:
    if not memory:
        return []
    lines = ["### Memory in Redis", "", "| | bytes per entity | of Feast's |", "|---|---:|---:|"]
    for view, found in memory.items():
        for name in ("fs", "feast"):
            share = f"{found['fs'] / found['feast']:.2f}" if name == "fs" else ""
            lines.append(f"| {name}, {view} float64 features | {found[name]:,.0f} | {share} |")
    return [*lines, ""]


def soak_table(soaks: dict | None) -> list[str]:
    if not soaks:
        return []
    lines = [
        "### Memory of the server under load",
        "",
        "| | load | requests | at first | settled | at the end | most | growth per minute |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, soak in soaks.items():
        sizes = [mib(soak[f"{when}_bytes"]) for when in ("first", "settled", "last", "most")]
        growth = soak["slope_bytes_per_minute"] / 1024
        lines.append(
            f"| {name} | {soak['size']}, {soak['minutes']:g} min | {soak['requests']:,} | {' | '.join(sizes)} "
            f"| {growth:,.1f} KiB |"
        )
    return [*lines, ""]


def targets(results: dict, middles: dict):
    """Each target, what was found, and whether that reaches it."""

    def each(target: str, ours: str, other: str, figure: str, limit: float, least: bool):
        pairs = {size: systems for size, systems in middles.items() if ours in systems and other in systems}
        if not pairs:
            return
        shares = {size: systems[ours][figure] / systems[other][figure] for size, systems in pairs.items()}
        reached = all((share >= limit) if least else (share <= limit) for share in shares.values())
        yield target, ", ".join(f"{size}: {share:.3g}" for size, share in shares.items()), reached

    yield from each(
        f"native on Redis: p50 at most {P50_OVER_FLOOR} of the floor's", OURS, FLOOR, "p50", P50_OVER_FLOOR, False
    )
    yield from each(
        f"native on Redis: p99 at most {P99_OVER_FLOOR:g} of the floor's", OURS, FLOOR, "p99", P99_OVER_FLOOR, False
    )
    yield from each(
        f"native on Redis: throughput at least {THROUGHPUT_OF_FLOOR:.0%} of the floor's",
        OURS,
        FLOOR,
        "per_second",
        THROUGHPUT_OF_FLOOR,
        True,
    )
    for figure, callers in (("one_per_second", "one caller"), ("per_second", "many callers")):
        yield from each(
            f"native on Redis: at least {OVER_FEAST:g} times the requests of Feast's server, {callers}",
            OURS,
            "feast-http",
            figure,
            OVER_FEAST,
            True,
        )
    for figure, callers in (("one_per_second", "one caller"), ("per_second", "many callers")):
        yield from each(
            f"HTTP: at least {HTTP_OVER_FEAST:g} times the requests of Feast's server, {callers}",
            "fs-redis-http",
            "feast-http",
            figure,
            HTTP_OVER_FEAST,
            True,
        )
    for size, limit in P99_MICROS.items():
        if OURS in middles.get(size, {}):
            found = middles[size][OURS]["p99"]
            yield (
                f"native on Redis, {size}: p99 below {micros(limit)}, which Feast publishes for its Java server",
                micros(found),
                found < limit,
            )
    yield from each("native on LMDB: p50 below the floor's", "fs-lmdb-native", FLOOR, "p50", 1.0, False)
    if memory := results.get("memory"):
        share = memory["50"]["fs"] / memory["50"]["feast"]
        yield (
            f"memory in Redis, 50 float64 features: at most {MEMORY_OF_FEAST:.0%} of Feast's",
            f"{share:.0%}",
            share <= MEMORY_OF_FEAST,
        )
    for name, soak in (results.get("soak") or {}).items():
        growth = soak["slope_bytes_per_minute"] * 10 / soak["settled_bytes"]
        yield (
            f"memory of the server flat under load ({name})",
            f"{growth:+.1%} in ten minutes",
            growth <= FLAT_PER_TEN_MINUTES,
        )
    wrong = [
        f"{name} for {soak['minutes']:g} min: {problem}"
        for name, soak in (results.get("soak") or {}).items()
        for problem in soak["problems"]
    ]
    wrong += [
        f"{size} {name}: {problem}"
        for size, systems in results["sizes"].items()
        for name, system in systems.items()
        for problem in system["problems"]
    ]
    yield "no request failed, no value was missing or wrong", "; ".join(wrong) or "none", not wrong


def micros(number: float) -> str:
    return f"{number:,.0f} µs" if number < 10_000 else f"{number / 1e3:,.1f} ms"


def rate(number: float) -> str:
    return f"{number:,.0f}/s" if number >= 100 else f"{number:.1f}/s"


def mib(number: float) -> str:
    return f"{number / 2**20:,.1f} MiB"
