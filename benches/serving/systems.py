"""What is measured: who answers, in which protocol, and the command that asks."""

import dataclasses
import json
import pathlib
import subprocess
import time

from cases import KEY, Size
from processes import CLIENT_CORE, Process

# One caller, who waits for every answer.
ONE = (1, 1)
# Callers enough to keep a core busy: connections x requests in flight on each.
MANY = ((4, 8), (4, 32))
MANY_OF_FEAST = ((1, 8),)


@dataclasses.dataclass(frozen=True)
class System:
    """One column of the results."""

    name: str
    title: str
    ask: list[str]
    """The command that asks, but for the size and the load."""
    server: Process
    """Whose CPU time it costs."""
    many: tuple[tuple[int, int], ...] = MANY
    least_seconds: float = 0.0
    """Slow servers are to answer some requests, too."""
    by_service: bool = True
    """Whether it knows feature services; the floor counts views instead."""

    def wanted(self, size: Size) -> list[str]:
        return ["--service", size.service] if self.by_service else ["--first-views", str(len(size.views))]


@dataclasses.dataclass(frozen=True)
class Timing:
    """How long each load lasts."""

    seconds: float
    warm_up: float


def bench_serve(fs: pathlib.Path, *where: str) -> list[str]:
    return [str(fs), "--format", "json", "bench-serve", *where]


def ask(system: System, size: Size, entities: int, lanes: tuple[int, int], timing: Timing, *more: str) -> dict:
    """Puts a load on a system. What the load generator reports, and the CPU time of the server."""
    connections, in_flight = lanes
    seconds = max(timing.seconds, system.least_seconds)
    command = ["taskset", "--cpu-list", str(CLIENT_CORE), *system.ask]
    command += [*system.wanted(size), "--key", f"{KEY}=0..{entities}"]
    command += ["--entities-per-request", str(size.entities)]
    command += ["--connections", str(connections), "--in-flight", str(in_flight)]
    command += ["--duration", f"{round(seconds * 1e3)}ms", "--warm-up", f"{round(timing.warm_up * 1e3)}ms"]
    command += ["--timeout", "60s", "--check-every", "1000", *more]
    asking = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(timing.warm_up)
    before, began = system.server.cpu_seconds(), time.monotonic()
    # Within the load, so that its beginning and end do not count.
    time.sleep(seconds * 0.8)
    used = (system.server.cpu_seconds() - before) / (time.monotonic() - began)
    out, err = asking.communicate()
    if asking.returncode:
        raise SystemExit(f"{' '.join(command)}\n{err}")
    return json.loads(out) | {"server_cores": used}


def once(system: System, size: Size, entities: int, timing: Timing) -> dict:
    """One run: one caller, then many."""
    one = ask(system, size, entities, ONE, timing)
    many = [ask(system, size, entities, lanes, timing) for lanes in system.many]
    # A server may refuse what it cannot do in time: what counts is the most that it does for all.
    best = max(many, key=lambda report: (not report["errors"], report["requests_per_second"]))
    return {"one": one, "many": best}


def greatest_rate(system: System, size: Size, entities: int, timing: Timing, bound_micros: float) -> dict:
    """The greatest rate of callers who know nothing of each other, with p99 below a bound."""
    more = ("--find-rate", f"{round(bound_micros)}us", "--steps", "5")
    return ask(system, size, entities, system.many[-1], timing, *more)


def problems(report: dict) -> list[str]:
    """What is wrong with a run: requests that failed, values that are not there."""
    found = [f"{error['count']} x {error['code']}: {error['message']}" for error in report["errors"]]
    values = report["checked"]["values"]
    found += [f"{count} values {status}" for status, count in values.items() if count and status != "PRESENT"]
    return found
