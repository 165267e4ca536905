"""One case of a benchmark of training sets: its files, its Delta tables, its engines round after round, its results."""

import dataclasses
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Callable

import figures
import machine
import measure

ENVIRONMENT = {"FEAST_USAGE": "False", "TZ": "UTC"}


def run_quietly(command: list[str]) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **ENVIRONMENT})
    if done.returncode:
        raise SystemExit(f"{done.stdout}\n{' '.join(command)} failed")


def fresh_scratch(data: pathlib.Path) -> pathlib.Path:
    scratch = data / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    return scratch


def read_results(case, data: pathlib.Path) -> dict:
    path = data / "results" / f"{case.name}.json"
    if path.exists():
        return json.loads(path.read_text())
    return {"case": dataclasses.asdict(case), "engines": {}, "ingest": None}


def write_results(case, data: pathlib.Path, results: dict) -> None:
    results["date"] = datetime.date.today().isoformat()
    path = data / "results" / f"{case.name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=2))


@dataclasses.dataclass
class Ingest:
    """What is brought into Delta tables, from where, and by which binary."""

    fs: pathlib.Path
    repo: pathlib.Path
    sources: list[pathlib.Path]
    table: pathlib.Path
    start: datetime.datetime
    end: datetime.datetime


def ingest(what: Ingest, data: pathlib.Path, limits: measure.Limits, write_repo: Callable[[], None]) -> dict:
    """Writes the tables anew, and measures it. The limit of memory is that of the engines."""
    shutil.rmtree(what.repo, ignore_errors=True)
    write_repo()
    scratch = fresh_scratch(data)
    run_quietly([str(what.fs), "-C", str(what.repo), "apply"])
    machine.warm(*what.sources)
    window = [what.start.date().isoformat(), what.end.date().isoformat()]
    command = [str(what.fs), "-C", str(what.repo), "materialize", *window]
    run = measure.run(command, scratch, measure.Limits(10 * limits.seconds, limits.memory_bytes), ENVIRONMENT)
    if run.outcome != "ok":
        raise SystemExit(f"{' '.join(command)}: {run.outcome}\n{run.message}")
    sizes = {"source_bytes": sum(map(machine.size, what.sources)), "table_bytes": machine.size(what.table)}
    return dataclasses.asdict(run) | sizes


def take_turns(case, data: pathlib.Path, runs: int, results: dict, engines: dict[str, Callable[[dict], None]]) -> None:
    """Runs every engine that has not failed, round after round, so that what disturbs the machine for a while
    does not disturb one engine only. An engine adds its run to the results that it is given."""
    for number in range(runs):
        for name, run in engines.items():
            result = results["engines"][name]
            if all(earlier["outcome"] == "ok" for earlier in result["runs"]):
                run(result)
                print(f"{case.name} {name} {number + 1}: {figures.run_line(result['runs'][-1])}", file=sys.stderr)
                write_results(case, data, results)
