"""Prints results in the form of benches/RESULTS.md, and says which targets were reached."""

import statistics

from cases import MEMORY, SPEED
from systems import TITLES

# What is aimed at (benches/materialize/README.md).
OVER_FEAST = 20.0
OF_FLOOR = 0.5
PEAK_BYTES = 512 * 2**20
# From one run to the next it differs by so much with the same rows.
GROWTH = 1.1
OURS = ("fs-redis", "fs-redis-publish", "fs-lmdb", "fs-lmdb-publish")

Middles = dict[str, dict]
"""The middle of each figure, by system."""


def text(results: dict) -> str:
    """The whole report."""
    of = f"Medians of {results['runs']} runs" if results["runs"] > 1 else "One run each"
    lines = [
        "## Materialization (`make bench-materialize`)",
        "",
        "What is measured, how to read it and how to repeat it is in [materialize/README.md](materialize/README.md).",
        f"{of}, rows of 50 `float64` features, `engine.memory_limit: {results['memory_limit']}`, {results['date']}: "
        f"{', '.join(results['versions'])}.",
        "",
    ]
    speed = {name: middles(runs) for name, runs in results["speed"].items()}
    memory = {name: middles(runs) for name, runs in results["memory"].items()}
    for name, found in speed.items():
        lines += [f"### {SPEED[name].title}", "", *speed_table(found), ""]
    if memory:
        lines += ["### Peak memory", "", *memory_table(memory), ""]
    lines += [f"Left out: {left_out}." for left_out in results["left_out"]]
    lines += ["### Targets", "", "| Target | Found | |", "|---|---|---|"]
    lines += [
        f"| {target} | {found} | {'reached' if reached else '**missed**'} |"
        for target, found, reached in targets(speed, memory)
    ]
    return "\n".join(lines)


def middles(systems: dict[str, list[dict]]) -> Middles:
    """The middle of each figure over the runs that succeeded; of one that did not, how it ended."""
    found = {}
    for name in [name for name in TITLES if name in systems]:
        runs = [run for run in systems[name] if run["outcome"] == "ok"]
        if not runs:
            found[name] = systems[name][-1]
            continue
        figures = {"outcome": "ok", "rows": runs[0]["rows"], "runs": len(runs)}
        for figure in ("wall", "cpu", "redis_cpu", "peak_bytes", "peak_anonymous_bytes"):
            values = [run[figure] for run in runs if run.get(figure) is not None]
            figures[figure] = statistics.median(values) if values else None
        found[name] = figures | {"rows_per_second": figures["rows"] / figures["wall"]}
    return found


def speed_table(systems: Middles) -> list[str]:
    lines = [
        "| | rows/s | wall | CPU | CPU of Redis | peak memory | without mapped files |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, found in systems.items():
        if found["outcome"] != "ok":
            lines.append(f"| {TITLES[name]} | {found['outcome']} after {found['wall']:,.0f} s | | | | | |")
            continue
        cells = [
            f"{found['rows_per_second']:,.0f}",
            seconds(found["wall"]),
            seconds(found["cpu"]),
            seconds(found["redis_cpu"]),
            mib(found["peak_bytes"]),
            mib(found["peak_anonymous_bytes"]),
        ]
        lines.append(f"| {TITLES[name]} | {' | '.join(cells)} |")
    return lines


def memory_table(sizes: dict[str, Middles]) -> list[str]:
    titles = [MEMORY[name].title for name in sizes]
    lines = [f"| | {' | '.join(titles)} |", "|---|" + "---:|" * len(titles)]
    for name in OURS:
        if any(name in found for found in sizes.values()):
            cells = [both(found[name]) if name in found else "" for found in sizes.values()]
            lines.append(f"| {TITLES[name]} | {' | '.join(cells)} |")
    return [*lines, "", "In parentheses: without mapped files, which LMDB's are."]


def targets(speed: dict[str, Middles], memory: dict[str, Middles]):
    """Each target, what was found, and whether that reaches it."""

    def each(target: str, ours: str, other: str, limit: float):
        shares = {
            size: found[ours]["rows_per_second"] / found[other]["rows_per_second"]
            for size, found in speed.items()
            if all(name in found and found[name]["outcome"] == "ok" for name in (ours, other))
        }
        if shares:
            reached = all(share >= limit for share in shares.values())
            yield target, ", ".join(f"{size}: {share:.2f}" for size, share in shares.items()), reached

    yield from each(
        f"Parquet to Delta to Redis: at least {OVER_FEAST:g} times the rows/s of Feast, Parquet to Redis",
        "fs-redis",
        "feast",
        OVER_FEAST,
    )
    yield from each(
        f"publishing to Redis: at least {OF_FLOOR:g} of the rows/s of the floor", "fs-redis-publish", "floor", OF_FLOOR
    )
    for store, figure, what in (("redis", "peak_bytes", ""), ("lmdb", "peak_anonymous_bytes", ", without mapped files")):
        peaks = {
            size: max(found[name][figure] for name in (f"fs-{store}", f"fs-{store}-publish"))
            for size, found in (speed | memory).items()
            if f"fs-{store}" in found
        }
        if peaks:
            yield (
                f"peak memory to {TITLES[f'fs-{store}'].split()[-1]}{what} below {mib(PEAK_BYTES)}",
                ", ".join(f"{size}: {mib(peak)}" for size, peak in peaks.items()),
                max(peaks.values()) < PEAK_BYTES,
            )
        if all(size in peaks for size in MEMORY):
            growth = peaks["10m"] / peaks["1m"]
            yield (
                f"peak memory to {TITLES[f'fs-{store}'].split()[-1]}{what} does not grow from 1 M to 10 M rows",
                f"{growth - 1:+.0%}",
                growth <= GROWTH,
            )


def run_line(run: dict) -> str:
    if run["outcome"] != "ok":
        return f"{run['outcome']} after {run['wall']:.0f} s: {run['message'][-300:]}"
    memory = f", {mib(run['peak_bytes'])}" if "peak_bytes" in run else ""
    return f"{run['rows'] / run['wall']:,.0f} rows/s, {run['wall']:.2f} s{memory}"


def both(found: dict) -> str:
    return f"{mib(found['peak_bytes'])} ({mib(found['peak_anonymous_bytes'])})"


def seconds(number: float | None) -> str:
    return "" if number is None else f"{number:,.2f} s"


def mib(number: float | None) -> str:
    return "" if number is None else f"{number / 2**20:,.0f} MiB"
