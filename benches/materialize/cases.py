"""What is materialized, and the names that all share."""

import dataclasses
import datetime
import pathlib

KEY = "user_id"
VIEW = "users"
PROJECT = "bench"
FEATURES = tuple(f"f{number}" for number in range(50))
"""Of type float64, all of them."""

START = datetime.datetime(2025, 1, 1, tzinfo=datetime.timezone.utc)
END = START + datetime.timedelta(days=12)
"""Rows arrive in the ten days before, and are true up to a day earlier."""


@dataclasses.dataclass(frozen=True)
class Case:
    """Rows, and how many entities they are about."""

    name: str
    rows: int
    entities: int

    def source(self, data: pathlib.Path) -> pathlib.Path:
        """The folder of Parquet files."""
        return data / "rows" / self.name

    @property
    def title(self) -> str:
        of = "one each" if self.rows == self.entities else f"of {count(self.entities)} entities"
        return f"{count(self.rows)} rows, {of}"


def count(number: int) -> str:
    return f"{number // 10**6} M" if number % 10**6 == 0 else f"{number // 1000} k"


SPEED = {
    "100k": Case("100k", 100_000, 100_000),
    "1m": Case("1m", 1_000_000, 1_000_000),
}
"""A row per entity: how fast."""

MEMORY = {
    "1m": SPEED["1m"],
    "10m": Case("10m", 10_000_000, 1_000_000),
}
"""Ten times the rows of the same entities: whether memory grows."""

CASES = SPEED | MEMORY
