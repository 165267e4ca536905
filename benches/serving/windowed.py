#!/usr/bin/env python3
"""Looks up 20 windowed features, and 20 plain ones whose stored rows are as long; says what each takes.

`make bench-windows` is the way in; ../windows/README.md says what is measured and how to read it.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import urllib.request

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "shared"))

import machine
import systems
import windowed_cases
import windowed_report
from cases import KEY, PROJECT
from processes import CLIENT_CORE, Redis, Server, fs_server, redis
from systems import System, Timing, bench_serve
from windowed_cases import END, HISTORIES, NOW, SHORT, START, History

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ENTITIES_PER_REQUEST = (1, 10)
LENGTH_BYTES = 4
"""What a row takes to say where a value of varying length ends."""


@dataclasses.dataclass(frozen=True)
class Lookup:
    """What one request asks for: a view is a service of the same name."""

    view: str
    entities: int

    @property
    def service(self) -> str:
        return self.view


def main() -> None:
    chosen = arguments()
    machine.warn_when_busy()
    scratch = chosen.data / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    rows, repo = scratch / "rows", scratch / "repo"
    rows.mkdir(parents=True)
    results = {
        "runs": chosen.runs,
        "seconds": chosen.seconds,
        "versions": machine.versions(chosen.fs, machine.REDIS),
        "sizes": {},
        "lookups": {},
    }
    with redis("redis-windowed", scratch) as store:
        fill(chosen.fs, repo, rows, store, results)
        with fs_server("fs-windowed", chosen.fs, repo, scratch, "--now", NOW.isoformat()) as server:
            for history in HISTORIES:
                check(server, history)
            measure(chosen, server, results)
    chosen.data.joinpath("windowed.json").write_text(json.dumps(results, indent=1))
    shutil.rmtree(scratch)
    print(windowed_report.text(results))


def arguments() -> argparse.Namespace:
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    data = os.environ.get("FS_BENCH_WINDOWS_DATA", target / "bench-windows")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="rounds, whose medians are shown")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each load")
    parser.add_argument("--warm-up", type=float, default=1.0, help="seconds before each load")
    parser.add_argument("--quick", action="store_true", help="a few seconds, to see that all works")
    parser.add_argument("--fs", type=pathlib.Path, default=target / "release" / "fs", help="the binary")
    parser.add_argument("--data", type=pathlib.Path, default=data, help="where results are kept")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.runs, chosen.seconds, chosen.warm_up = 1, 0.5, 0.2
    chosen.data, chosen.fs = chosen.data.resolve(), chosen.fs.resolve()
    if not chosen.fs.exists():
        parser.error(f"{chosen.fs} is not there: make build")
    if (os.cpu_count() or 1) < 2:
        parser.error("two cores are needed: one for the server, one for Redis and whoever asks")
    return chosen


def fill(fs: pathlib.Path, repo: pathlib.Path, rows: pathlib.Path, store: Redis, results: dict) -> None:
    """Materializes all views, and notes how long their rows are: first the states, which the plain rows then equal."""
    repo.mkdir()
    (repo / "feature_store.yaml").write_text(windowed_cases.store(store.port))
    (repo / "definitions.yaml").write_text(windowed_cases.definitions(rows))
    script("events", rows)
    for view in (SHORT, *(history.plain for history in HISTORIES)):
        script("plain", rows, view, 1)
    quietly([str(fs), "-C", str(repo), "apply"])

    def lengths(view: str) -> list[int]:
        used = store.used_bytes()
        period = [START.date().isoformat(), END.date().isoformat()]
        quietly([str(fs), "-C", str(repo), "materialize", *period, "--views", view, "--now", END.isoformat()])
        found = store.row_bytes(PROJECT, view)
        results["sizes"][view] = {
            "mean": statistics.mean(found),
            "most": max(found),
            "used": (store.used_bytes() - used) / len(found),
        }
        return found

    short = statistics.mean(lengths(SHORT))
    for history in HISTORIES:
        states = statistics.mean(lengths(history.windowed))
        script("plain", rows, history.plain, max(1, round(states - short) - LENGTH_BYTES))
        lengths(history.plain)


def check(server: Server, history: History) -> None:
    """Compares what some entities are answered with what was generated."""
    # A large library, and threads that start with it: not before it is needed.
    from windowed_rows import expected

    chosen = [0, history.entities // 2, history.entities - 1]
    body = json.dumps({"feature_service": history.windowed, "entities": {KEY: chosen}}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://{server.http}/get-online-features", body, headers)
    with urllib.request.urlopen(request, timeout=60) as response:
        answer = json.load(response)
    names = answer["metadata"]["feature_names"]
    found = {name: result["values"] for name, result in zip(names, answer["results"], strict=True)}
    for position, entity in enumerate(chosen):
        for feature, value in expected(history, entity).items():
            told = found[feature][position]
            same = told is None if value is None else told is not None and abs(told - value) <= 1e-9 * abs(value)
            if not same:
                raise SystemExit(f"{history.windowed} answers wrongly: {feature} of {entity} is {told}, not {value}")
    print(f"{history.windowed} answers rightly", file=sys.stderr)


def measure(chosen: argparse.Namespace, server: Server, results: dict) -> None:
    timing = Timing(chosen.seconds, chosen.warm_up)
    ask = bench_serve(chosen.fs, "--grpc", server.grpc)
    system = System("fs", "fs", ask, server.process)
    # Round after round, so that what disturbs the machine for a while does not disturb one view only.
    for number in range(chosen.runs):
        for history in HISTORIES:
            for entities in ENTITIES_PER_REQUEST:
                for view in (SHORT, history.plain, history.windowed):
                    run = systems.once(system, Lookup(view, entities), history.entities, timing)
                    runs = results["lookups"].setdefault(f"{history.events}", {}).setdefault(f"{entities}", {})
                    runs.setdefault(kind(view, history), []).append(run)
                    latency = run["one"]["latency_micros"]
                    print(
                        f"{history.events} events, {entities} a request, {view} {number + 1}: "
                        f"p50 {latency['p50']:.0f} µs, p99 {latency['p99']:.0f} µs, "
                        f"{run['many']['requests_per_second']:.0f}/s",
                        file=sys.stderr,
                        flush=True,
                    )


def kind(view: str, history: History) -> str:
    return {SHORT: "short", history.plain: "plain", history.windowed: "windowed"}[view]


def script(name: str, rows: pathlib.Path, *more: object) -> None:
    quietly([sys.executable, str(HERE / "windowed_rows.py"), name, str(rows), *map(str, more)])


def quietly(command: list[str]) -> None:
    pinned = ["taskset", "--cpu-list", f"0,{CLIENT_CORE}", *command]
    done = subprocess.run(pinned, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{done.stdout}{done.stderr}\n{' '.join(command)} failed")


if __name__ == "__main__":
    main()
