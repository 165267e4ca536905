#!/usr/bin/env python3
"""Makes training sets of windowed features with `fs` and with the engines of today, and prints what each took.

`make bench-windows` is the way in; README.md beside this file says what is measured and how to repeat it.
"""

import argparse
import dataclasses
import functools
import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "shared"))

import feature_repo
import figures
import machine
import measure
import report
import rounds
from cases import END, KEYS, SIZES, START, Case
from competitors import ENGINES, Engine, Setting
from options import listed
from rounds import ENVIRONMENT, Ingest, fresh_scratch, read_results, run_quietly, take_turns, write_results

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def main() -> None:
    chosen = arguments()
    cases = [Case(size, keys) for size in chosen.sizes for keys in chosen.keys]
    if chosen.commands:
        return print_commands(cases, chosen)
    machine.warn_when_busy()
    if chosen.runs:
        versions = machine.versions(chosen.fs, "DuckDB", "Polars")
        print(figures.heading(chosen.runs, os.cpu_count(), machine.memory_gib("MemTotal"), versions))
    for case in cases:
        run_case(case, chosen)
        if chosen.runs:
            print(report.case_table(read_results(case, chosen.data), chosen.engines), flush=True)
    print(report.ingest_table([read_results(case, chosen.data) for case in cases]))


def arguments() -> argparse.Namespace:
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    data = os.environ.get("FS_BENCH_WINDOWS_DATA", target / "bench-windows")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=listed(SIZES), default=["10m"], help=",".join(SIZES))
    parser.add_argument("--keys", type=listed(KEYS), default=list(KEYS), help=",".join(KEYS))
    parser.add_argument("--engines", type=listed(ENGINES), default=list(ENGINES), help=",".join(ENGINES))
    parser.add_argument("--runs", type=int, default=3, help="0 generates and ingests only")
    parser.add_argument("--fs", type=pathlib.Path, default=target / "release" / "fs", help="the binary")
    parser.add_argument("--data", type=pathlib.Path, default=data, help="where files and results are kept")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds of one run")
    parser.add_argument("--memory", type=float, help="GiB of one run [default: nine tenths of what is free now]")
    parser.add_argument("--ingest-anew", action="store_true", help="write the Delta tables again")
    parser.add_argument("--quick", action="store_true", help="100k once, to see that all works")
    parser.add_argument("--commands", action="store_true", help="print the commands instead, to run one alone")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.sizes, chosen.runs = ["100k"], 1
    chosen.data, chosen.fs = chosen.data.resolve(), chosen.fs.resolve()
    chosen.memory = int((chosen.memory or 0.9 * machine.memory_gib("MemAvailable")) * 2**30)
    if any(ENGINES[name].ours for name in chosen.engines) and not chosen.fs.exists():
        parser.error(f"{chosen.fs} is not there: make build")
    return chosen


def run_case(case: Case, chosen: argparse.Namespace) -> None:
    run_quietly([sys.executable, str(HERE / "generate.py"), case.name, "--data", str(chosen.data)])
    # DuckDB leaves its limit by a little, and spills before it reaches it.
    setting = Setting(case, chosen.data, chosen.fs, chosen.memory * 8 // 10)
    limits = measure.Limits(chosen.timeout, chosen.memory)
    results = read_results(case, chosen.data)
    engines = {name: ENGINES[name] for name in chosen.engines}
    if any(engine.ours for engine in engines.values()):
        ingest(setting, limits, results, chosen.ingest_anew)
    for name, engine in engines.items():
        results["engines"][name] = {"title": engine.title, "windows": engine.windows, "runs": [], "answer": None}
    # What the first one answers, which is `fs` if it is asked, the others are held against.
    case.reference(chosen.data).unlink(missing_ok=True)
    turns = {name: functools.partial(run_engine, setting, engine, limits) for name, engine in engines.items()}
    take_turns(case, chosen.data, chosen.runs, results, turns)


def run_engine(setting: Setting, engine: Engine, limits: measure.Limits, result: dict) -> None:
    scratch = fresh_scratch(setting.data)
    out = scratch / "training_set.parquet"
    machine.warm(*setting.reads(engine.ours))
    run = measure.run(engine.make(setting, engine.windows, out), scratch, limits, ENVIRONMENT)
    result["runs"].append(dataclasses.asdict(run))
    if run.outcome == "ok":
        reference = setting.case.reference(setting.data)
        if not reference.exists():
            shutil.move(out, reference)
            out = reference
        result["answer"] = answer(out, reference, engine.windows)
    shutil.rmtree(scratch)


def answer(out: pathlib.Path, reference: pathlib.Path, windows: int) -> dict:
    compare = [sys.executable, str(HERE / "answers.py"), str(out), str(reference), str(windows)]
    found = subprocess.run(compare, capture_output=True, text=True)
    if found.returncode:
        return {"error": found.stderr.strip().splitlines()[-1]}
    return json.loads(found.stdout) | {"is_reference": out == reference}


def ingest(setting: Setting, limits: measure.Limits, results: dict, anew: bool) -> None:
    """Brings the events into a Delta table, unless they are there."""
    case, data = setting.case, setting.data
    if setting.table.exists() and results.get("ingest") and not anew:
        return
    what = Ingest(setting.fs, case.repo(data), [case.events(data)], setting.table, START, END)
    results["ingest"] = rounds.ingest(what, data, limits, lambda: feature_repo.write(case, data))
    print(f"{case.name} ingest: {figures.run_line(results['ingest'])}", file=sys.stderr)
    write_results(case, data, results)


def print_commands(cases: list[Case], chosen: argparse.Namespace) -> None:
    out = fresh_scratch(chosen.data) / "training_set.parquet"
    for case in cases:
        setting = Setting(case, chosen.data, chosen.fs, chosen.memory * 8 // 10)
        for name in chosen.engines:
            print(" ".join(ENGINES[name].make(setting, ENGINES[name].windows, out)))


if __name__ == "__main__":
    main()
