"""Prints what windowed lookups took, in the form of benches/RESULTS.md."""

import datetime
import statistics

from systems import problems
from windowed_cases import FEATURES, HISTORIES, SHORT

P99_OVER_PLAIN = 1.5
TITLES = {
    "short": "plain features",
    "plain": "plain features, stored rows as long as the states",
    "windowed": "windowed features",
}


def text(results: dict) -> str:
    today = datetime.date.today().isoformat()
    of = f"Medians of {results['runs']} runs" if results["runs"] > 1 else "One run"
    lines = [
        f"### Lookups of {len(FEATURES)} windowed features",
        "",
        f"{of} of {results['seconds']:g} s, {today}: {', '.join(results['versions'])}.",
        "",
        *sizes_table(results["sizes"]),
        "",
        "| Events per key, keys per request | | p50 | p99 | many callers | µs of the server |",
        "|---|---|---:|---:|---:|---:|",
    ]
    shares, wrong = [], []
    for events, of_history in results["lookups"].items():
        for entities, kinds in of_history.items():
            middles = {kind: medians(runs) for kind, runs in kinds.items()}
            for kind, middle in middles.items():
                figures = f"{micros(middle['p50'])} | {micros(middle['p99'])} | {middle['per_second']:,.0f}/s"
                lines.append(
                    f"| {int(events):,}, {entities} | {TITLES[kind]} | {figures} | {middle['cost']:,.0f} |"
                )
            if entities == "1":
                shares.append((f"{int(events):,}", middles["windowed"]["p99"] / middles["plain"]["p99"]))
            wrong += [
                f"{kind}, {events} events: {problem}"
                for kind, runs in kinds.items()
                for run in runs
                for problem in unexpected(kind, run)
            ]
    reached = all(share <= P99_OVER_PLAIN for _, share in shares)
    found = ", ".join(f"{share:.2f} ({events} events)" for events, share in shares)
    lines += [
        "",
        f"p99 of a windowed lookup over that of a plain one of the same bytes, one key: {found} "
        f"(at most {P99_OVER_PLAIN:g}: {'reached' if reached else '**missed**'}).",
        f"Problems: {'; '.join(wrong) or 'none'}.",
    ]
    return "\n".join(lines)


def sizes_table(sizes: dict) -> list[str]:
    lines = ["| View | Bytes of a row, mean | at most | Bytes of Redis memory per key |", "|---|---:|---:|---:|"]
    titles = {SHORT: TITLES["short"]}
    for history in HISTORIES:
        titles[history.windowed] = f"state of a key with {history.events:,} events"
        titles[history.plain] = "plain features and padding beside it"
    for view, title in titles.items():
        found = sizes[view]
        lines.append(f"| {title} | {found['mean']:,.0f} | {found['most']:,} | {found['used']:,.0f} |")
    return lines


def medians(runs: list[dict]) -> dict:
    def middle(get) -> float:
        return statistics.median(get(run) for run in runs)

    return {
        "p50": middle(lambda run: run["one"]["latency_micros"]["p50"]),
        "p99": middle(lambda run: run["one"]["latency_micros"]["p99"]),
        "per_second": middle(lambda run: run["many"]["requests_per_second"]),
        "cost": middle(lambda run: run["many"]["server_cores"] * 1e6 / max(run["many"]["requests_per_second"], 1e-9)),
    }


def unexpected(kind: str, run: dict) -> list[str]:
    """What is wrong with a run. A windowed feature may be null: its window is empty."""
    found = problems(run["one"]) + problems(run["many"])
    return [problem for problem in found if kind != "windowed" or not problem.endswith(" NULL_VALUE")]


def micros(number: float) -> str:
    return f"{number:,.0f} µs" if number < 10_000 else f"{number / 1e3:,.1f} ms"
