"""Where everything is, and how commands are run."""

import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys

import machine
import measure
from cases import Case
from processes import Redis

HERE = pathlib.Path(__file__).resolve().parent
ENVIRONMENT = {"FEAST_USAGE": "False", "TZ": "UTC"}


@dataclasses.dataclass(frozen=True)
class Setting:
    """Where everything is, and what a run may take."""

    data: pathlib.Path
    fs: pathlib.Path
    floor: pathlib.Path
    memory_limit: str
    limits: measure.Limits

    @property
    def scratch(self) -> pathlib.Path:
        return self.data / "scratch"

    @property
    def feast(self) -> pathlib.Path:
        return pathlib.Path(sys.executable).parent / "feast"

    def fresh_scratch(self) -> None:
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(parents=True)

    def free_bytes(self) -> int:
        return shutil.disk_usage(self.data).free

    def generate(self, case: Case) -> None:
        script("generate.py", case.name, "--data", str(self.data))

    def discard(self, case: Case) -> None:
        """Removes the rows of a case."""
        shutil.rmtree(case.source(self.data), ignore_errors=True)

    def measured(self, command: list[str], reads: pathlib.Path, store: Redis | None) -> dict:
        """Runs a command, and measures it and its Redis."""
        machine.warm(reads)
        before = store.process.cpu_seconds() if store else 0.0
        found = dataclasses.asdict(measure.run(command, self.scratch, self.limits, ENVIRONMENT))
        return found | {"redis_cpu": store.process.cpu_seconds() - before if store else None}


def script(name: str, *words: str) -> str:
    """Runs a script of this folder; what it printed."""
    return quietly([sys.executable, str(HERE / name), *words])


def quietly(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **ENVIRONMENT})
    if done.returncode:
        raise SystemExit(f"{done.stdout}{done.stderr}\n{' '.join(command[:12])} failed")
    return done.stdout
