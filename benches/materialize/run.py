#!/usr/bin/env python3
"""Materializes the same rows with `fs`, with Feast and with nothing but a Redis client, and says what each took.

`make bench-materialize` is the way in; README.md beside this file says what is measured and how to read it.
"""

import argparse
import datetime
import json
import os
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "shared"))

import machine
import measure
import report
from cases import MEMORY, SPEED, Case
from options import listed
from setting import Setting
from systems import PATHS

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# What takes longer is not measured again.
LONG_SECONDS = 600.0
# Of the rows, of the table, and of what sorting puts on disk for a while, for each byte of the rows.
DISK_PER_BYTE = 3
ROW_BYTES = 430
DISK_RESERVE_BYTES = measure.DISK_RESERVE_BYTES


def main() -> None:
    chosen = arguments()
    machine.warn_when_busy()
    limits = measure.Limits(chosen.timeout, int(chosen.memory * 2**30))
    setting = Setting(chosen.data, chosen.fs, chosen.floor, chosen.memory_limit, limits)
    setting.fresh_scratch()
    results = {
        "date": datetime.date.today().isoformat(),
        "runs": chosen.runs,
        "memory_limit": chosen.memory_limit,
        "versions": machine.versions(chosen.fs, "Redis", "Feast"),
        "speed": {},
        "memory": {},
        "left_out": [],
    }
    for name in chosen.sizes:
        measure_case(setting, SPEED[name], chosen.paths, chosen.runs, results["speed"], results)
    # The runs of a case that is in both are used for both.
    for name in chosen.memory_sizes:
        case, paths = MEMORY[name], [path for path in chosen.paths if path != "feast"]
        if name in results["speed"]:
            results["memory"][name] = results["speed"][name]
        elif missing := disk_missing(setting, case):
            results["left_out"].append(f"{case.title}: the disk is short of {missing / 2**30:.0f} GiB")
        else:
            measure_case(setting, case, paths, 1, results["memory"], results)
            if not chosen.keep:
                setting.discard(case)
    save(setting, results)
    setting.fresh_scratch()
    print(report.text(results))
    if results["left_out"]:
        raise SystemExit("; ".join(results["left_out"]))


def arguments() -> argparse.Namespace:
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    data = os.environ.get("FS_BENCH_MATERIALIZE_DATA", target / "bench-materialize")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=listed(SPEED), default=list(SPEED), help=",".join(SPEED))
    parser.add_argument(
        "--memory-sizes",
        type=listed(MEMORY, or_none=True),
        default=list(MEMORY),
        help=f"{','.join(MEMORY)}, once each, or none",
    )
    parser.add_argument("--paths", type=listed(PATHS), default=list(PATHS), help=",".join(PATHS))
    parser.add_argument("--runs", type=int, default=3, help="rounds, whose medians are shown")
    parser.add_argument("--memory-limit", default="512MiB", help="engine.memory_limit of fs [default: 512MiB]")
    parser.add_argument("--timeout", type=float, default=7_200.0, help="seconds of one run")
    parser.add_argument("--memory", type=float, default=16.0, help="GiB of one run, at which it is ended")
    parser.add_argument("--keep", action="store_true", help="keep the rows of the memory cases")
    parser.add_argument("--quick", action="store_true", help="100k once, to see that all works")
    parser.add_argument("--fs", type=pathlib.Path, default=target / "release" / "fs", help="the binary")
    parser.add_argument("--floor", type=pathlib.Path, default=target / "release" / "floor", help="the binary")
    parser.add_argument("--data", type=pathlib.Path, default=data, help="where rows and results are kept")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.sizes, chosen.memory_sizes, chosen.runs = ["100k"], [], 1
    chosen.data, chosen.fs, chosen.floor = chosen.data.resolve(), chosen.fs.resolve(), chosen.floor.resolve()
    for binary in (chosen.fs, chosen.floor):
        if not binary.exists():
            parser.error(f"{binary} is not there: make bench-materialize builds it")
    chosen.data.mkdir(parents=True, exist_ok=True)
    return chosen


def measure_case(setting: Setting, case: Case, paths: list[str], runs: int, into: dict, results: dict) -> None:
    setting.generate(case)
    found = into.setdefault(case.name, {})
    # Round after round, so that what disturbs the machine for a while does not disturb one system only.
    for number in range(runs):
        for path in paths:
            if number and any(took["wall"] > LONG_SECONDS for runs in found.values() for took in of(path, runs)):
                continue
            setting.fresh_scratch()
            for name, took in PATHS[path](setting, case, into is results["speed"]).items():
                found.setdefault(name, []).append(took | {"path": path})
                print(f"{case.name} {name} {number + 1}: {report.run_line(took)}", file=sys.stderr, flush=True)
            save(setting, results)
    setting.fresh_scratch()


def of(path: str, runs: list[dict]) -> list[dict]:
    return [run for run in runs if run["path"] == path]


def disk_missing(setting: Setting, case: Case) -> int:
    """How many bytes the disk is short of, 0 if of none."""
    there = case.source(setting.data).exists()
    needed = case.rows * ROW_BYTES * (DISK_PER_BYTE - there) + DISK_RESERVE_BYTES
    return max(0, needed - setting.free_bytes())


def save(setting: Setting, results: dict) -> None:
    (setting.data / "results.json").write_text(json.dumps(results, indent=1))
    (setting.data / "results.md").write_text(report.text(results) + "\n")


if __name__ == "__main__":
    main()
