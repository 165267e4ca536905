"""The cases of the benchmark: how many rows, which keys; the windows; and the names that all share."""

import dataclasses
import datetime
import pathlib

SIZES = {"100k": (100_000, 10_000), "1m": (1_000_000, 100_000), "10m": (10_000_000, 1_000_000)}
KEYS = ("uniform", "skewed")
START = datetime.datetime(2025, 1, 1, tzinfo=datetime.timezone.utc)
END = datetime.datetime(2025, 4, 1, tzinfo=datetime.timezone.utc)

SECONDS = {
    "1h": 3_600,
    "3h": 10_800,
    "12h": 43_200,
    "1d": 86_400,
    "3d": 259_200,
    "7d": 604_800,
    "14d": 1_209_600,
    "30d": 2_592_000,
}
"""Every window, shortest first. The longest is in all sets, so that all read the same events."""
WINDOWS = {1: ("30d",), 4: ("1h", "1d", "7d", "30d"), 8: tuple(SECONDS)}
"""Which windows, by how many."""
OF_ALL = 4
"""How many windows everybody is asked for."""
FUNCTIONS = ("count", "sum", "avg", "min", "max")


@dataclasses.dataclass(frozen=True)
class Case:
    """One cell of the table of results."""

    size: str
    keys: str

    @property
    def name(self) -> str:
        return f"{self.size}-{self.keys}"

    @property
    def event_rows(self) -> int:
        return SIZES[self.size][0]

    @property
    def spine_rows(self) -> int:
        return SIZES[self.size][1]

    @property
    def entities(self) -> int:
        return self.event_rows // 100

    def folder(self, data: pathlib.Path) -> pathlib.Path:
        return data / self.name

    def events(self, data: pathlib.Path) -> pathlib.Path:
        return self.folder(data) / "events"

    def spine(self, data: pathlib.Path) -> pathlib.Path:
        return self.folder(data) / "spine.parquet"

    def repo(self, data: pathlib.Path) -> pathlib.Path:
        """The feature repo of `fs`, with its Delta table."""
        return self.folder(data) / "repo"

    def reference(self, data: pathlib.Path) -> pathlib.Path:
        """The training set that others are held against, with the windows that everybody is asked for."""
        return self.folder(data) / "reference.parquet"

    @staticmethod
    def parse(name: str) -> "Case":
        """The case that `name` names, such as `10m-uniform`."""
        size, _, keys = name.partition("-")
        if size not in SIZES or keys not in KEYS:
            raise SystemExit(f"no case {name}: SIZE-KEYS, such as 10m-uniform")
        return Case(size, keys)


def service(windows: int) -> str:
    """The feature service of `fs` that asks for so many windows."""
    return f"windows_{windows}"


def features(windows: tuple[str, ...]) -> list[str]:
    """The columns that a training set gains: `count_1h`, `sum_1h` … for each window in order."""
    return [f"{function}_{window}" for window in windows for function in FUNCTIONS]
