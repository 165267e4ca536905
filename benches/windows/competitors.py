"""The engines: what each is called, how it is started, what it reads."""

import dataclasses
import pathlib
import sys
from collections.abc import Callable

from cases import OF_ALL, SECONDS, WINDOWS, Case, service

SCRIPTS = pathlib.Path(__file__).resolve().parent / "engines"
OURS = "fs"


@dataclasses.dataclass(frozen=True)
class Setting:
    """What all engines are given alike."""

    case: Case
    data: pathlib.Path
    fs: pathlib.Path
    memory_bytes: int

    @property
    def table(self) -> pathlib.Path:
        """The Delta table of `fs`."""
        return self.case.repo(self.data) / ".fs" / "offline"

    def script(self, name: str, windows: int, out: pathlib.Path) -> list[str]:
        wanted = ",".join(f"{window}={SECONDS[window]}" for window in WINDOWS[windows])
        command = [sys.executable, str(SCRIPTS / name), "--spine", str(self.case.spine(self.data))]
        command += ["--events", str(self.case.events(self.data)), "--windows", wanted]
        return [*command, "--memory", str(self.memory_bytes), "--out", str(out)]

    def reads(self, ours: bool) -> list[pathlib.Path]:
        """What a run reads, to be in the page cache before."""
        return [self.case.spine(self.data), self.table if ours else self.case.events(self.data)]


@dataclasses.dataclass(frozen=True)
class Engine:
    """One row of the table of results."""

    title: str
    make: Callable[[Setting, int, pathlib.Path], list[str]]
    """The command that makes a training set with so many windows, in a process of its own."""
    windows: int = OF_ALL
    ours: bool = False


def fs(setting: Setting, windows: int, out: pathlib.Path) -> list[str]:
    wanted = ["--spine", str(setting.case.spine(setting.data)), "--service", service(windows), "--out", str(out)]
    return [str(setting.fs), "-C", str(setting.case.repo(setting.data)), "get-historical-features", *wanted]


def script(name: str) -> Callable[[Setting, int, pathlib.Path], list[str]]:
    return lambda setting, windows, out: setting.script(name, windows, out)


ENGINES = {
    OURS: Engine("fs", fs, ours=True),
    "duckdb-windows": Engine("DuckDB, window functions", script("duckdb_windows.py")),
    "duckdb-range": Engine("DuckDB, range join", script("duckdb_range_join.py")),
    "duckdb-prefix": Engine("DuckDB, prefix sums of cents", script("duckdb_prefix_sums.py")),
    "polars-rolling": Engine("Polars, rolling", script("polars_rolling.py")),
    "polars-range": Engine("Polars, range join", script("polars_range_join.py")),
    "fs-1": Engine("fs, 1 window", fs, windows=1, ours=True),
    "fs-8": Engine("fs, 8 windows", fs, windows=8, ours=True),
}
