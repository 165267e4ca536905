"""An unmodified Feast SDK, whose online store is remote: `fs` at an address.

    feast_sdk.py FOLDER URL STEPS_JSON

Keeps a registry of its own in FOLDER, with the views that the steps define, and does one step after the
other. Prints a list with what came of each: the answer of a read, null of a write, {"error", "message"} of
what was refused.
"""

import datetime
import json
import logging
import pathlib
import sys

import pandas as pd
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, PushSource
from feast import types
from feast.data_source import PushMode
from feast.value_type import ValueType

TYPES = {
    "bool": types.Bool,
    "int32": types.Int32,
    "int64": types.Int64,
    "float32": types.Float32,
    "float64": types.Float64,
    "string": types.String,
    "timestamp": types.UnixTimestamp,
    "array<float64>": types.Array(types.Float64),
    "array<int64>": types.Array(types.Int64),
    "array<string>": types.Array(types.String),
}


def definitions(views, services):
    made = {}
    for view in views:
        keys = [Entity(name=key, join_keys=[key], value_type=ValueType[kind]) for key, kind in view["keys"].items()]
        batch = FileSource(
            name=f"{view['name']}_file",
            path=view["path"],
            timestamp_field="event_timestamp",
            created_timestamp_column="created_timestamp",
        )
        push = PushSource(name=view["push_source"], batch_source=batch) if "push_source" in view else None
        fields = [Field(name=key, dtype=getattr(types, kind.capitalize())) for key, kind in view["keys"].items()]
        fields += [Field(name=name, dtype=TYPES[kind]) for name, kind in view["features"].items()]
        made[view["name"]] = (
            FeatureView(name=view["name"], entities=keys, schema=fields, source=push or batch, online=True),
            keys,
        )
    yield from (view for view, _ in made.values())
    yield from {key.name: key for _, keys in made.values() for key in keys}.values()
    for service in services:
        features = [made[name][0][columns] for name, columns in service["features"].items()]
        yield FeatureService(name=service["name"], features=features)


def frame(rows):
    df = pd.DataFrame(rows)
    for column in ("event_timestamp", "created_timestamp"):
        if column in df:
            df[column] = pd.to_datetime(df[column], utc=True)
    return df


def instant(text):
    return datetime.datetime.fromisoformat(text)


def read(store, step):
    features = store.get_feature_service(step["service"]) if "service" in step else step["features"]
    answer = store.get_online_features(
        features=features,
        entity_rows=step["entities"],
        full_feature_names=step.get("full_feature_names", False),
        include_feature_view_version_metadata=step.get("versions", False),
    )
    names = list(answer.proto.metadata.feature_names.val)
    statuses = [[int(status) for status in result.statuses] for result in answer.proto.results]
    return {
        "names": names,
        "values": answer.to_dict(),
        "statuses": dict(zip(names, statuses)),
        "versions": [[view.name, view.version] for view in answer.proto.metadata.feature_view_metadata],
    }


def do(store, step):
    match step["do"]:
        case "read":
            return read(store, step)
        case "write":
            store.write_to_online_store(step["view"], df=frame(step["rows"]))
        case "push":
            store.push(step["source"], frame(step["rows"]), to=PushMode.ONLINE)
        case "materialize":
            store.materialize(instant(step["start"]), instant(step["end"]), feature_views=step.get("views"))
        case "materialize_incremental":
            store.materialize_incremental(
                instant(step["end"]), feature_views=step.get("views"), run_async=step.get("async", False)
            )
        case unknown:
            raise SystemExit(f"there is no step {unknown}")


def main():
    folder, url, steps = pathlib.Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
    logging.disable(logging.CRITICAL)
    (folder / "feature_store.yaml").write_text(
        f"project: client\nprovider: local\nregistry: {folder}/registry.db\n"
        "entity_key_serialization_version: 3\noffline_store: {type: file}\n"
        f"online_store: {{type: remote, path: {url}}}\n"
    )
    store = FeatureStore(repo_path=str(folder))
    store.apply(list(definitions(steps["views"], steps.get("services", []))))
    outcomes = []
    for step in steps["steps"]:
        try:
            outcomes.append(do(store, step))
        except Exception as error:
            outcomes.append({"error": type(error).__name__, "message": str(error)})
    print(json.dumps(outcomes, default=str))


if __name__ == "__main__":
    main()
