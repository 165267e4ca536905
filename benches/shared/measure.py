"""Runs a command and measures it: wall time, CPU time, peak memory; ends it when it goes past a limit.

Needs nothing but the standard library: the kernel counts the memory of a process from before it becomes the command,
so a large process would lend its own size to what it measures.
"""

import dataclasses
import os
import pathlib
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator

SAMPLE_SECONDS = 0.05
STATM_PAGE = os.sysconf("SC_PAGE_SIZE")
# A run ends before it fills the disk with what does not fit into memory.
DISK_RESERVE_BYTES = 4 * 2**30


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a run may use."""

    seconds: float
    memory_bytes: int


@dataclasses.dataclass(frozen=True)
class Measurement:
    """What a run used. Times are seconds."""

    outcome: str
    """`ok`, `failed`, `out of memory`, `out of time` or `out of disk`."""
    wall: float
    cpu: float
    """User and system time of the process and of its children."""
    peak_bytes: int
    """Most resident memory, mapped files included."""
    peak_anonymous_bytes: int
    """Most resident memory without mapped files, from samples."""
    message: str
    """The end of what it wrote to standard error."""
    answer: str
    """The end of what it wrote to standard output."""


def run(command: list[str], scratch: pathlib.Path, limits: Limits, environment: dict[str, str]) -> Measurement:
    """Runs `command` in the folder `scratch`, in a session of its own."""
    out, log = scratch / "stdout.txt", scratch / "stderr.txt"
    with out.open("wb") as stdout, log.open("wb") as stderr:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=scratch,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
        watch = Watch(process.pid, scratch, limits)
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    watch.stop()
    message, answer = end_of(log), end_of(out)
    return Measurement(
        outcome=watch.exceeded or outcome(process.returncode, message + answer),
        wall=wall,
        cpu=usage.ru_utime + usage.ru_stime,
        peak_bytes=max(usage.ru_maxrss * 1024, watch.peak_bytes),
        peak_anonymous_bytes=watch.peak_anonymous_bytes,
        message=message,
        answer=answer,
    )


def end_of(file: pathlib.Path) -> str:
    return file.read_text(errors="replace")[-2_000:].strip()


def outcome(exit_status: int, message: str) -> str:
    if exit_status == 0:
        return "ok"
    said_so = any(sign in message for sign in ("Out of Memory", "OutOfMemory", "MemoryError", "memory allocation of"))
    return "out of memory" if said_so or exit_status == -signal.SIGKILL else "failed"


class Watch(threading.Thread):
    """Samples the memory of a process and its descendants, and kills them when they go past a limit."""

    def __init__(self, pid: int, scratch: pathlib.Path, limits: Limits) -> None:
        super().__init__(daemon=True)
        self.pid, self.scratch, self.limits = pid, scratch, limits
        self.peak_bytes = self.peak_anonymous_bytes = 0
        self.exceeded: str | None = None
        self.ended = threading.Event()

    def stop(self) -> None:
        self.ended.set()
        self.join()

    def run(self) -> None:
        began = time.monotonic()
        while not self.ended.wait(SAMPLE_SECONDS):
            sizes = [size for pid in descendants(self.pid) if (size := resident(pid))]
            total, anonymous = sum(size[0] for size in sizes), sum(size[1] for size in sizes)
            self.peak_bytes = max(self.peak_bytes, total)
            self.peak_anonymous_bytes = max(self.peak_anonymous_bytes, anonymous)
            if anonymous > self.limits.memory_bytes:
                self.kill("out of memory")
            elif time.monotonic() - began > self.limits.seconds:
                self.kill("out of time")
            elif shutil.disk_usage(self.scratch).free < DISK_RESERVE_BYTES:
                self.kill("out of disk")

    def kill(self, why: str) -> None:
        if self.exceeded or self.ended.is_set():
            return
        self.exceeded = why
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def descendants(pid: int) -> Iterator[int]:
    """`pid` and what it started, as far as it is still there."""
    yield pid
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children") as children:
                for child in children.read().split():
                    yield from descendants(int(child))
    except (FileNotFoundError, ProcessLookupError):
        return


def resident(pid: int) -> tuple[int, int] | None:
    """Bytes of resident memory, and of those the ones that are not mapped files."""
    try:
        with open(f"/proc/{pid}/statm") as statm:
            _, total, shared, *_ = (int(pages) * STATM_PAGE for pages in statm.read().split())
    except (FileNotFoundError, ProcessLookupError):
        return None
    return total, total - shared
