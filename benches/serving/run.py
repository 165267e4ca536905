#!/usr/bin/env python3
"""Serves the same features with `fs`, with Feast and with nothing but Redis, and says what each lookup takes.

`make bench-serving` is the way in; README.md beside this file says what is measured and how to read it.
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Iterator

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "shared"))

import feast_repo
import feature_repo
import generate
import machine
import report
import soak
import systems
from cases import ENTITIES, PROJECT, SIZES, VIEWS, Size
from options import listed
from processes import CLIENT_CORE, Redis, Server, fs_server, feast_server, floor_server, redis
from systems import System, Timing, bench_serve

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
NAMES = ("floor", "bare-redis", "fs-redis-native", "fs-redis-feast", "fs-redis-http", "fs-lmdb-native", "feast-http")
PERIOD = ("2025-01-01", "2025-01-03")


def main() -> None:
    chosen = arguments()
    machine.warn_when_busy()
    results = {
        "entities": chosen.entities,
        "runs": chosen.runs,
        "seconds": chosen.seconds,
        "versions": machine.versions(chosen.fs, "Redis", "Feast"),
        "sizes": {},
        "rates": {},
    }
    rows = chosen.data / f"rows-{chosen.entities}"
    generate.write(rows, chosen.entities)
    scratch = chosen.data / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    with served(chosen, rows, scratch, results) as all_systems:
        all_systems = [system for system in all_systems if system.name in chosen.systems]
        for size in chosen.sizes:
            results["sizes"][size.name] = {
                system.name: {"title": system.title, "runs": [], "problems": []} for system in all_systems
            }
        measure(chosen, all_systems, results)
        if chosen.soak:
            results["soak"] = {
                system.title: soak.run(system, Size(100, 250), chosen.entities, chosen.soak)
                for system in all_systems
                if system.name in chosen.soak_systems
            }
    save(chosen.data, results)
    shutil.rmtree(scratch)
    print(report.text(results))
    if any(system["problems"] for size in results["sizes"].values() for system in size.values()):
        raise SystemExit("requests failed: see the last target")


def arguments() -> argparse.Namespace:
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    data = os.environ.get("FS_BENCH_SERVING_DATA", target / "bench-serving")
    sizes = [size.name for size in SIZES]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=listed(sizes), default=sizes, help=",".join(sizes))
    parser.add_argument("--systems", type=listed(NAMES), default=list(NAMES), help=",".join(NAMES))
    parser.add_argument("--runs", type=int, default=3, help="rounds, whose medians are shown")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each load")
    parser.add_argument("--warm-up", type=float, default=1.0, help="seconds before each load")
    parser.add_argument("--entities", type=int, default=ENTITIES)
    parser.add_argument("--ttl-days", type=int, default=0, help="how long rows live in both stores [default: for ever]")
    parser.add_argument("--rates", action="store_true", help="also look for the greatest rate of an open loop")
    parser.add_argument("--soak", type=float, default=0.0, metavar="MINUTES", help="then load the servers for so long")
    parser.add_argument("--soak-systems", type=listed(NAMES), default=["fs-redis-native"], help=",".join(NAMES))
    parser.add_argument(
        "--feast-workers", type=int, default=3, help="of gunicorn [default: 2 x cores + 1, of one core]"
    )
    parser.add_argument("--quick", action="store_true", help="a few seconds, to see that all works")
    parser.add_argument("--fs", type=pathlib.Path, default=target / "release" / "fs", help="the binary")
    parser.add_argument("--floor", type=pathlib.Path, default=target / "release" / "floor", help="the binary")
    parser.add_argument("--data", type=pathlib.Path, default=data, help="where rows and results are kept")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.runs, chosen.seconds, chosen.warm_up, chosen.entities = 1, 0.5, 0.2, min(chosen.entities, 2_000)
    chosen.sizes = [Size.parse(name) for name in chosen.sizes]
    chosen.data, chosen.fs, chosen.floor = chosen.data.resolve(), chosen.fs.resolve(), chosen.floor.resolve()
    for binary in (chosen.fs, chosen.floor):
        if not binary.exists():
            parser.error(f"{binary} is not there: make bench-serving builds it")
    if (os.cpu_count() or 1) < 2:
        parser.error("two cores are needed: one for the servers, one for Redis and whoever asks")
    return chosen


@contextlib.contextmanager
def served(
    chosen: argparse.Namespace, rows: pathlib.Path, scratch: pathlib.Path, results: dict
) -> Iterator[list[System]]:
    """Starts everything that is asked for, fills the stores, and sees that all answer alike."""
    wanted = set(chosen.systems)
    found, checks = [], []
    with contextlib.ExitStack() as running:
        memory = {str(len(VIEWS[:count]) * 50): {} for count in (1, len(VIEWS))}
        if wanted - {"feast-http", "fs-lmdb-native"}:
            store = running.enter_context(redis("redis-fs", scratch))
            repo = scratch / "fs-redis"
            feature_repo.write(repo, rows, feature_repo.redis(store.port), chosen.ttl_days)
            fill(chosen.fs, repo, store, chosen.entities, memory)
            found += on_redis(chosen, running, store, repo, scratch, checks, wanted)
        if "fs-lmdb-native" in wanted:
            repo = scratch / "fs-lmdb"
            feature_repo.write(repo, rows, feature_repo.LMDB, chosen.ttl_days)
            fill(chosen.fs, repo, None, chosen.entities, {})
            server = running.enter_context(fs_server("fs-lmdb", chosen.fs, repo, scratch))
            ask = bench_serve(chosen.fs, "--grpc", server.grpc)
            found.append(System("fs-lmdb-native", "fs on LMDB, native gRPC", ask, server.process))
            checks.append(("fs on LMDB", "over_native_grpc", server))
        if "feast-http" in wanted:
            found.append(feast(chosen, running, rows, scratch, memory, checks))
        if all(len(both) == 2 for both in memory.values()):
            results["memory"] = memory
        check(chosen, checks)
        yield sorted(found, key=lambda system: NAMES.index(system.name))


def on_redis(
    chosen: argparse.Namespace,
    running: contextlib.ExitStack,
    store: Redis,
    repo: pathlib.Path,
    scratch: pathlib.Path,
    checks: list,
    wanted: set[str],
) -> Iterator[System]:
    where = ["--project", PROJECT, "--views", ",".join(VIEWS)]
    url = f"redis://127.0.0.1:{store.port}"
    if "floor" in wanted:
        server = running.enter_context(floor_server(chosen.floor, store, where, scratch))
        ask = [str(chosen.floor), "ask-grpc", "--server", server.grpc]
        yield System("floor", "the floor", ask, server.process, by_service=False)
        checks.append(("the floor", "from_floor", server))
    if "bare-redis" in wanted:
        ask = [str(chosen.floor), "ask-redis", "--redis", url, *where]
        yield System("bare-redis", "bare Redis client", ask, store.process, by_service=False)
    if not any(name.startswith("fs-redis") for name in wanted):
        return
    server = running.enter_context(fs_server("fs-redis", chosen.fs, repo, scratch))
    grpc, http = ("--grpc", server.grpc), ("--http", server.http)
    for name, title, ask, how in (
        ("fs-redis-native", "fs on Redis, native gRPC", grpc, "over_native_grpc"),
        ("fs-redis-feast", "fs on Redis, Feast's gRPC", (*grpc, "--wire", "feast"), "over_feast_grpc"),
        ("fs-redis-http", "fs on Redis, HTTP", http, "over_http"),
    ):
        if name in wanted:
            yield System(name, title, bench_serve(chosen.fs, *ask), server.process)
            checks.append((title, how, server))


def feast(
    chosen: argparse.Namespace,
    running: contextlib.ExitStack,
    rows: pathlib.Path,
    scratch: pathlib.Path,
    memory: dict,
    checks: list,
) -> System:
    store = running.enter_context(redis("redis-feast", scratch))
    repo = scratch / "feast"
    # In a process of its own, which can be large: it is none of those that are measured.
    quietly(
        [
            sys.executable,
            str(HERE / "feast_repo.py"),
            "apply",
            str(repo),
            str(rows),
            str(store.port),
            str(chosen.ttl_days),
        ]
    )
    empty = store.used_bytes()
    for count, view in enumerate(VIEWS, 1):
        feast_repo.write_rows(store.port, view, chosen.entities)
        if (features := str(count * 50)) in memory:
            memory[features]["feast"] = (store.used_bytes() - empty) / chosen.entities
    command = pathlib.Path(sys.executable).parent / "feast"
    server = running.enter_context(feast_server(command, repo, chosen.feast_workers, scratch))
    checks.append(("Feast", "over_http", server))
    ask = bench_serve(chosen.fs, "--http", server.http)
    least = 2.0 if chosen.quick else 10.0
    return System("feast-http", "Feast's server, HTTP", ask, server.process, systems.MANY_OF_FEAST, least)


def fill(fs: pathlib.Path, repo: pathlib.Path, store: Redis | None, entities: int, memory: dict) -> None:
    """Applies the definitions and materializes the rows, view by view; notes what they take in Redis."""
    quietly([str(fs), "-C", str(repo), "apply"])
    empty = store.used_bytes() if store else 0
    for count, view in enumerate(VIEWS, 1):
        quietly([str(fs), "-C", str(repo), "materialize", *PERIOD, "--views", view])
        if (features := str(count * 50)) in memory and store:
            memory[features]["fs"] = (store.used_bytes() - empty) / entities


def check(chosen: argparse.Namespace, checks: list[tuple[str, str, Server]]) -> None:
    # Its libraries are large, and threads of theirs start with them: not before they are needed.
    import answers

    expected = answers.Expected(chosen.entities, VIEWS)
    for who, how, server in checks:
        for size in (Size(1, 50), Size(100, 250)):
            some = expected.some(size.entities)
            more = (expected,) if how == "from_floor" else ()
            expected.compare(who, size, some, getattr(answers, how)(server, size, some, *more))
        print(f"{who} answers rightly", file=sys.stderr)


def measure(chosen: argparse.Namespace, all_systems: list[System], results: dict) -> None:
    timing = Timing(chosen.seconds, chosen.warm_up)
    # Round after round, so that what disturbs the machine for a while does not disturb one system only.
    for number in range(chosen.runs):
        for size in chosen.sizes:
            for system in all_systems:
                found = results["sizes"][size.name][system.name]
                run = systems.once(system, size, chosen.entities, timing)
                found["runs"].append(run)
                found["problems"] += systems.problems(run["one"]) + systems.problems(run["many"])
                one, many = run["one"], run["many"]
                print(
                    f"{size.name} {system.name} {number + 1}: p50 {one['latency_micros']['p50']:.0f} µs, "
                    f"p99 {one['latency_micros']['p99']:.0f} µs, {many['requests_per_second']:.0f}/s "
                    f"({many['server_cores']:.2f} cores)",
                    file=sys.stderr,
                    flush=True,
                )
            save(chosen.data, results)
    if chosen.rates:
        for size in chosen.sizes:
            middles = report.medians(results["sizes"][size.name][all_systems[0].name]["runs"])
            # Five times what the first system takes at the median when nobody else asks.
            bound = max(1_000.0, 5 * middles["p50"])
            results["rates"][size.name] = {
                system.name: systems.greatest_rate(system, size, chosen.entities, timing, bound)
                for system in all_systems
                if system.name != "feast-http"
            }


def save(data: pathlib.Path, results: dict) -> None:
    data.mkdir(parents=True, exist_ok=True)
    (data / "results.json").write_text(json.dumps(results, indent=1))
    if all(system["runs"] for size in results["sizes"].values() for system in size.values()):
        (data / "results.md").write_text(report.text(results) + "\n")


def quietly(command: list[str]) -> None:
    pinned = ["taskset", "--cpu-list", f"0,{CLIENT_CORE}", *command]
    done = subprocess.run(pinned, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{done.stdout}{done.stderr}\n{' '.join(command)} failed")


if __name__ == "__main__":
    main()
