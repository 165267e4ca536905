#!/usr/bin/env python3
"""Makes training sets with `fs` and with the engines of today, one after the other, and prints what each took.

`make bench-training` is the way in; README.md beside this file says what is measured and how to repeat it.
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

import competitors
import feature_repo
import figures
import machine
import measure
import report
import rounds
from cases import END, KEYS, SIZES, START, VIEWS, Case
from options import listed
from rounds import ENVIRONMENT, Ingest, fresh_scratch, read_results, run_quietly, take_turns, write_results

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DISCARDED = ("50m",)


def main() -> None:
    chosen = arguments()
    cases = [Case(size, keys, views) for size in chosen.sizes for keys in chosen.keys for views in chosen.views]
    if chosen.commands:
        return print_commands(cases, chosen)
    machine.warn_when_busy()
    if chosen.runs:
        versions = machine.versions(chosen.fs, "DuckDB", "Polars", "Feast")
        print(figures.heading(chosen.runs, os.cpu_count(), machine.memory_gib("MemTotal"), versions))
    for case in cases:
        run_case(case, chosen)
        if not chosen.runs:
            continue
        print(report.case_table(read_results(case, chosen.data), chosen.engines), flush=True)
        if case.size in DISCARDED and not chosen.keep:
            discard(case, cases, chosen.data)
    print(report.ingest_table([read_results(case, chosen.data) for case in cases]))


def arguments() -> argparse.Namespace:
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    data = os.environ.get("FS_BENCH_DATA", target / "bench-training")
    defaults = [name for name in competitors.ENGINES if name != "duckdb-rows"]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=listed(SIZES), default=["1m", "10m"], help=",".join(SIZES))
    parser.add_argument("--keys", type=listed(KEYS), default=list(KEYS), help=",".join(KEYS))
    parser.add_argument("--views", type=listed(map(str, VIEWS)), default=list(VIEWS), help="1,3")
    engines = competitors.ENGINES
    parser.add_argument("--engines", type=listed(engines), default=defaults, help=",".join(engines))
    parser.add_argument("--runs", type=int, default=3, help="0 generates and ingests only")
    parser.add_argument("--fs", type=pathlib.Path, default=target / "release" / "fs", help="the binary")
    parser.add_argument("--data", type=pathlib.Path, default=data, help="where files and results are kept")
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds of one run")
    parser.add_argument("--memory", type=float, help="GiB of one run [default: nine tenths of what is free now]")
    parser.add_argument("--ingest-anew", action="store_true", help="write the Delta tables again")
    parser.add_argument("--keep", action="store_true", help=f"keep the files of {','.join(DISCARDED)}")
    parser.add_argument("--commands", action="store_true", help="print the commands instead, to run one alone")
    chosen = parser.parse_args()
    chosen.views = [int(views) for views in chosen.views]
    chosen.data, chosen.fs = chosen.data.resolve(), chosen.fs.resolve()
    chosen.memory = int((chosen.memory or 0.9 * machine.memory_gib("MemAvailable")) * 2**30)
    if "fs" in chosen.engines and not chosen.fs.exists():
        parser.error(f"{chosen.fs} is not there: make build")
    return chosen


def run_case(case: Case, chosen: argparse.Namespace) -> None:
    run_quietly([sys.executable, str(HERE / "generate.py"), case.name, "--data", str(chosen.data)])
    # DuckDB leaves its limit by a little, and spills before it reaches it.
    setting = competitors.Setting(case, chosen.data, chosen.fs, chosen.memory * 8 // 10)
    limits = measure.Limits(chosen.timeout, chosen.memory)
    results = read_results(case, chosen.data)
    engines = {name: competitors.ENGINES[name] for name in chosen.engines}
    engines = {name: engine for name, engine in engines.items() if case.size in engine.sizes}
    if "fs" in engines:
        ingest(setting, limits, results, chosen.ingest_anew)
    for name, engine in engines.items():
        if engine.prepare:
            run_quietly(engine.prepare(setting))
        results["engines"][name] = {"title": engine.title, "runs": [], "answer": None}
    turns = {name: functools.partial(run_engine, setting, engine, limits) for name, engine in engines.items()}
    take_turns(case, chosen.data, chosen.runs, results, turns)


def run_engine(setting: competitors.Setting, engine: competitors.Engine, limits: measure.Limits, result: dict) -> None:
    scratch = fresh_scratch(setting.data)
    out = scratch / "training_set.parquet"
    machine.warm(setting.case.spine(setting.data), *([setting.tables] if engine.title == "fs" else setting.views))
    run = measure.run(engine.command(setting, out), scratch, limits, ENVIRONMENT)
    result["runs"].append(dataclasses.asdict(run))
    if run.outcome == "ok":
        result["answer"] = answer(setting.case, out)
    shutil.rmtree(scratch)


def answer(case: Case, out: pathlib.Path) -> dict:
    found = subprocess.run(
        [sys.executable, str(HERE / "answers.py"), str(out), *case.view_names], capture_output=True, text=True
    )
    if found.returncode:
        return {"rows": None, "digest": None, "error": found.stderr.strip().splitlines()[-1]}
    return json.loads(found.stdout)


def ingest(setting: competitors.Setting, limits: measure.Limits, results: dict, anew: bool) -> None:
    """Brings the views into Delta tables, unless they are there."""
    case = setting.case
    if setting.tables.exists() and results.get("ingest") and not anew:
        return
    what = Ingest(setting.fs, case.repo(setting.data), setting.views, setting.tables, START, END)
    results["ingest"] = rounds.ingest(what, setting.data, limits, lambda: feature_repo.write(case, setting.data))
    print(f"{case.name} ingest: {figures.run_line(results['ingest'])}", file=sys.stderr)
    write_results(case, setting.data, results)


def discard(case: Case, cases: list[Case], data: pathlib.Path) -> None:
    """Removes the tables of `case`, and its files unless a later case reads them."""
    shutil.rmtree(case.repo(data))
    later = cases[cases.index(case) + 1 :]
    if not any(other.folder(data) == case.folder(data) for other in later):
        shutil.rmtree(case.folder(data))


def print_commands(cases: list[Case], chosen: argparse.Namespace) -> None:
    out = fresh_scratch(chosen.data) / "training_set.parquet"
    for case in cases:
        setting = competitors.Setting(case, chosen.data, chosen.fs, chosen.memory * 8 // 10)
        for name in chosen.engines:
            print(" ".join(competitors.ENGINES[name].command(setting, out)))


if __name__ == "__main__":
    main()
