"""What runs of commands took, in the words of the reports."""

import datetime
import statistics

MIB = 2**20


def heading(runs: int, cores: int, memory_gib: float, versions: list[str]) -> str:
    today = datetime.date.today().isoformat()
    of = f"Medians of {runs} runs" if runs > 1 else "One run"
    return f"{of}: {', '.join(versions)}; {cores} cores, {memory_gib:.0f} GiB, {today}.\n"


def run_line(run: dict) -> str:
    figures = f"{run['wall']:.2f} s wall, {run['cpu']:.2f} s CPU, {mib(run['peak_bytes'])}"
    if run["outcome"] == "ok":
        return figures
    return f"{run['outcome']} after {figures}" + (f"\n{run['message'][-500:]}" if run["outcome"] == "failed" else "")


def median(runs: list[dict]) -> dict | None:
    """The median of each figure; nothing when a run did not end well."""
    if any(run["outcome"] != "ok" for run in runs):
        return None
    figures = ("wall", "cpu", "peak_bytes", "peak_anonymous_bytes")
    return {figure: statistics.median(run[figure] for run in runs) for figure in figures}


def mib(amount: float) -> str:
    return f"{amount / MIB:,.0f} MiB"
