"""The engines: what each is called, how it is started, what it reads."""

import dataclasses
import pathlib
import sys
from collections.abc import Callable

import feature_repo
from cases import SIZES, TTL_DAYS, Case

SCRIPTS = pathlib.Path(__file__).resolve().parent / "engines"


@dataclasses.dataclass(frozen=True)
class Setting:
    """What all engines are given alike."""

    case: Case
    data: pathlib.Path
    fs: pathlib.Path
    memory_bytes: int

    @property
    def views(self) -> list[pathlib.Path]:
        return [self.case.folder(self.data) / view for view in self.case.view_names]

    @property
    def tables(self) -> pathlib.Path:
        """The Delta tables of `fs`."""
        return self.case.repo(self.data) / ".fs" / "offline"

    def script(self, name: str, out: pathlib.Path, *more: str) -> list[str]:
        command = [sys.executable, str(SCRIPTS / name), "--spine", str(self.case.spine(self.data)), "--out", str(out)]
        for view in self.views:
            command += ["--view", str(view)]
        return [*command, "--ttl-days", str(TTL_DAYS), "--memory", str(self.memory_bytes), *more]


@dataclasses.dataclass(frozen=True)
class Engine:
    """One row of the table of results."""

    title: str
    command: Callable[[Setting, pathlib.Path], list[str]]
    """What makes the training set, in a process of its own."""
    prepare: Callable[[Setting], list[str]] | None = None
    """What has to be run once before, and is not measured."""
    sizes: tuple[str, ...] = tuple(SIZES)
    """Where it can be expected to end."""


def fs(setting: Setting, out: pathlib.Path) -> list[str]:
    repo, spine = setting.case.repo(setting.data), setting.case.spine(setting.data)
    wanted = ["--spine", str(spine), "--service", feature_repo.SERVICE, "--out", str(out)]
    return [str(setting.fs), "-C", str(repo), "get-historical-features", *wanted]


def script(name: str, *more: str) -> Callable[[Setting, pathlib.Path], list[str]]:
    return lambda setting, out: setting.script(name, out, *more)


def feast(title: str, store: str, sizes: tuple[str, ...]) -> Engine:
    def command(setting: Setting, out: pathlib.Path, *more: str) -> list[str]:
        repo = setting.case.folder(setting.data) / f"feast-{store}-{setting.case.views}"
        return setting.script("feast_store.py", out, "--store", store, "--repo", str(repo), *more)

    return Engine(title, command, lambda setting: command(setting, pathlib.Path("unused"), "--apply"), sizes)


ENGINES = {
    "fs": Engine("fs", fs),
    "duckdb-keys": Engine("DuckDB, keys first", script("duckdb_keys_first.py")),
    "duckdb-rows": Engine("DuckDB, keys first, by row", script("duckdb_keys_first.py", "--fetch-by", "row")),
    "polars-keys": Engine("Polars, keys first", script("polars_keys_first.py")),
    "duckdb": Engine("DuckDB, ASOF join", script("duckdb_asof.py")),
    "polars": Engine("Polars, join_asof", script("polars_asof.py")),
    "feast-duckdb": feast("Feast, duckdb store", "duckdb", tuple(SIZES)),
    "feast-default": feast("Feast, default store", "dask", ("1m",)),
}
