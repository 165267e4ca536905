"""Feast, with its duckdb store or with its default one: get_historical_features of a feature service.

`--apply` registers the views in the repo instead of joining, which is not part of what is measured.
"""

import datetime
import pathlib

import pandas as pd
import pyarrow.parquet as pq
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.data_format import ParquetFormat
from feast.types import Float64, Int64

from arguments import parser

SERVICE = "bench"
TYPES = {"double": Float64, "int64": Int64}


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--store", choices=["duckdb", "dask"], required=True, help="dask is the default of Feast")
    arguments.add_argument("--repo", type=pathlib.Path, required=True, help="folder of the registry")
    arguments.add_argument("--apply", action="store_true")
    chosen = arguments.parse_args()
    store = FeatureStore(config=configuration(chosen.repo, chosen.store))
    if chosen.apply:
        apply(store, chosen.views, datetime.timedelta(days=chosen.ttl_days))
        return
    spine = pd.read_parquet(chosen.spine)
    job = store.get_historical_features(entity_df=spine, features=store.get_feature_service(SERVICE))
    pq.write_table(job.to_arrow(), chosen.out, compression="snappy")


def configuration(repo: pathlib.Path, offline_store: str) -> RepoConfig:
    return RepoConfig(
        project="bench",
        provider="local",
        registry=str(repo / "registry.db"),
        offline_store={"type": offline_store},
        online_store=None,
        entity_key_serialization_version=3,
        repo_path=repo,
    )


def apply(store: FeatureStore, folders: list[pathlib.Path], ttl: datetime.timedelta) -> None:
    store.repo_path.mkdir(parents=True, exist_ok=True)
    user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.INT64)
    views = [view(folder, user, ttl) for folder in folders]
    store.apply([user, *views, FeatureService(name=SERVICE, features=views)])


def view(folder: pathlib.Path, user: Entity, ttl: datetime.timedelta) -> FeatureView:
    fields = [
        Field(name=field.name, dtype=TYPES[str(field.type)])
        for field in pq.read_schema(next(folder.glob("*.parquet")))
        if field.name not in ("user_id", "event_timestamp")
    ]
    source = FileSource(
        name=folder.name,
        path=f"{folder}/*.parquet",
        timestamp_field="event_timestamp",
        file_format=ParquetFormat(),
    )
    return FeatureView(name=folder.name, entities=[user], ttl=ttl, schema=fields, source=source, online=False)


if __name__ == "__main__":
    main()
