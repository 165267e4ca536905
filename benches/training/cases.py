"""The cases of the benchmark: how many rows, which keys, how many views; and the names they share."""

import dataclasses
import datetime
import pathlib

SIZES = {"1m": (1_000_000, 100_000), "10m": (10_000_000, 1_000_000), "50m": (50_000_000, 5_000_000)}
KEYS = ("uniform", "skewed")
VIEWS = (1, 3)

START = datetime.datetime(2025, 1, 1, tzinfo=datetime.timezone.utc)
END = datetime.datetime(2025, 4, 1, tzinfo=datetime.timezone.utc)
TTL_DAYS = 7
FLOATS = tuple(f"f{number}" for number in range(10))
INTEGERS = tuple(f"i{number}" for number in range(3))


@dataclasses.dataclass(frozen=True)
class Case:
    """One cell of the table of results."""

    size: str
    keys: str
    views: int

    @property
    def name(self) -> str:
        return f"{self.size}-{self.keys}-{self.views}"

    @property
    def feature_rows(self) -> int:
        """Rows of each view."""
        return SIZES[self.size][0]

    @property
    def spine_rows(self) -> int:
        return SIZES[self.size][1]

    @property
    def entities(self) -> int:
        return self.feature_rows // 100

    @property
    def view_names(self) -> list[str]:
        return [f"v{number}" for number in range(1, self.views + 1)]

    def folder(self, data: pathlib.Path) -> pathlib.Path:
        """Where the files are. The case of three views reads the files of the case of one, and two more."""
        return data / f"{self.size}-{self.keys}"

    def spine(self, data: pathlib.Path) -> pathlib.Path:
        return self.folder(data) / "spine.parquet"

    def repo(self, data: pathlib.Path) -> pathlib.Path:
        """The feature repo of `fs`, with its Delta tables."""
        return self.folder(data) / f"repo-{self.views}"

    @staticmethod
    def parse(name: str) -> "Case":
        """The case that `name` names, such as `10m-uniform-3`."""
        size, keys, views = name.split("-")
        case = Case(size, keys, int(views))
        if size not in SIZES or keys not in KEYS or not 1 <= case.views <= 9:
            raise SystemExit(f"no case {name}: SIZE-KEYS-VIEWS, such as 10m-uniform-3")
        return case


def features(view: str) -> list[tuple[str, str]]:
    """The 13 feature columns of a view, with the types that `fs` gives them."""
    return [(f"{view}_{name}", "float64") for name in FLOATS] + [(f"{view}_{name}", "int64") for name in INTEGERS]
