"""The views of the benchmark of windowed lookups: what they hold, and what they are called."""

import dataclasses
import datetime

from cases import KEY, PROJECT

START = datetime.datetime(2025, 1, 1, tzinfo=datetime.timezone.utc)
END = datetime.datetime(2025, 4, 1, tzinfo=datetime.timezone.utc)
NOW = END + datetime.timedelta(minutes=30)
"""When it is asked: some time after the last materialization, so that what was inside a window has left it."""
SECONDS = {"1h": 3_600, "1d": 86_400, "7d": 604_800, "30d": 2_592_000}
FUNCTIONS = ("count", "sum", "avg", "min", "max")
FEATURES = [f"{function}_{window}" for function in FUNCTIONS for window in SECONDS]
PADDING = "padding"


@dataclasses.dataclass(frozen=True)
class History:
    """A windowed view whose keys have so many events each, and the plain view beside it."""

    events: int
    entities: int

    @property
    def windowed(self) -> str:
        return f"windowed_{self.events}"

    @property
    def plain(self) -> str:
        """The view of as many features whose rows are as long as the states of the windowed one."""
        return f"plain_{self.events}"


HISTORIES = (History(10, 10_000), History(1_000, 500), History(100_000, 10))
SHORT = "plain"
"""The view of as many features and nothing else."""

STORE = """\
project: {project}
registry: {{ path: .fs/registry }}
offline_store: {{ path: .fs/offline }}
online_store: {{ type: redis, url: "redis://127.0.0.1:{port}" }}
engine: {{ type: local, memory_limit: 2GiB }}
"""

ENTITY = """\
kind: entity
name: user
join_keys: [{{ name: {key}, type: int64 }}]
"""

SOURCE = """\
---
kind: source
name: {view}
format: parquet
path: {rows}/{view}.parquet
timestamp_field: event_timestamp
---
kind: feature_view
name: {view}
entities: [user]
source: {view}
"""

SERVICE = """\
---
kind: feature_service
name: {view}
features:
  - {{ view: {view}, features: [{features}] }}
"""


def definitions(rows: object) -> str:
    """All views over the Parquet files below `rows`, and a service of the features of each, named as it."""
    text = ENTITY.format(key=KEY)
    windows = ", ".join(SECONDS)
    for history in HISTORIES:
        text += SOURCE.format(view=history.windowed, rows=rows) + 'schedule: "*/15 * * * *"\naggregations:\n'
        for function in FUNCTIONS:
            text += f"  - {{ column: amount, function: {function}, name: {function}, windows: [{windows}] }}\n"
    for view in (SHORT, *(history.plain for history in HISTORIES)):
        text += SOURCE.format(view=view, rows=rows) + "schema:\n"
        for feature in FEATURES:
            text += f"  - {{ name: {feature}, type: {'int64' if feature.startswith('count') else 'float64'} }}\n"
        text += f"  - {{ name: {PADDING}, type: bytes }}\n" if view != SHORT else ""
    for view in (SHORT, *(view for history in HISTORIES for view in (history.windowed, history.plain))):
        text += SERVICE.format(view=view, features=", ".join(FEATURES))
    return text


def store(port: int) -> str:
    return STORE.format(project=PROJECT, port=port)
