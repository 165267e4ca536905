"""What is asked for, of whom, and the names that all share."""

import dataclasses
import datetime

ENTITIES = 100_000
VIEWS = ("v1", "v2", "v3", "v4", "v5")
FEATURES_PER_VIEW = 50
KEY = "user_id"
PROJECT = "bench"
START = datetime.datetime(2025, 1, 1, tzinfo=datetime.timezone.utc)
DAY_SECONDS = 86_400


@dataclasses.dataclass(frozen=True)
class Size:
    """Entities per request x features."""

    entities: int
    features: int

    @property
    def name(self) -> str:
        return f"{self.entities}x{self.features}"

    @property
    def views(self) -> tuple[str, ...]:
        return VIEWS[: self.features // FEATURES_PER_VIEW]

    @property
    def service(self) -> str:
        return f"f{self.features}"

    @staticmethod
    def parse(name: str) -> "Size":
        """The size that `name` names, such as `100x250`."""
        entities, features = map(int, name.split("x"))
        return Size(entities, features)


SIZES = tuple(Size(entities, features) for features in (50, 250) for entities in (1, 10, 100))
SERVICES = {size.service: size.views for size in SIZES}


def features(view: str) -> list[str]:
    """The features of a view: float64 all of them, of other names in every view."""
    return [f"{view}_f{number}" for number in range(FEATURES_PER_VIEW)]
