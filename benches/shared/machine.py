"""The machine that measures: how busy it is, what it has, which versions of what run on it."""

import importlib.metadata
import os
import pathlib
import subprocess
import sys

BUSY_LOAD = 0.5
REDIS = "Redis"


def warn_when_busy() -> None:
    load = os.getloadavg()[0]
    if load > BUSY_LOAD:
        print(f"the machine is busy (load {load:.1f}): times will be too long", file=sys.stderr)


def memory_gib(field: str) -> float:
    """A field of /proc/meminfo."""
    lines = pathlib.Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / 2**20


def versions(fs: pathlib.Path, *others: str) -> list[str]:
    """The version of `fs`, if it is there, and those of what it is compared with: Redis, or Python packages."""
    found = [said(str(fs), "--version")] if fs.exists() else []
    for name in others:
        if name == REDIS:
            found.append(f"{name} {said('redis-server', '--version').split('v=')[1].split()[0]}")
        else:
            found.append(f"{name} {importlib.metadata.version(name.lower())}")
    return found


def said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def warm(*paths: pathlib.Path) -> None:
    """Reads files, and those below folders, so that every run finds them in the page cache."""
    buffer = bytearray(2**20)
    for path in paths:
        for file in files(path):
            with file.open("rb", buffering=0) as stream:
                while stream.readinto(buffer):
                    pass


def size(path: pathlib.Path) -> int:
    """The bytes of a file, or of all files below a folder."""
    return sum(file.stat().st_size for file in files(path))


def files(path: pathlib.Path) -> list[pathlib.Path]:
    return [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
