#!/usr/bin/env python3
"""What some entities must have, and what Feast's store says that they have.

    answers.py expected CASE --data FOLDER
    answers.py feast REPO ENTITY...

Prints the values of each entity, in the order of the features. In a process of its own, because its libraries are large
and a process lends its size to those that it starts.
"""

import argparse
import json
import pathlib

import numpy as np

from cases import CASES, FEATURES, KEY, VIEW, Case

SOME = 50


def expected(case: Case, folder: pathlib.Path) -> dict[int, list[float]]:
    """The newest row of some entities."""
    import pyarrow as pa
    import pyarrow.compute as compute
    import pyarrow.parquet as pq

    chosen = np.random.default_rng(case.rows).choice(case.entities, min(SOME, case.entities), replace=False)
    newest: dict[int, tuple[int, list[float]]] = {}
    for path in sorted(folder.glob("*.parquet")):
        file = pq.ParquetFile(path)
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group)
            rows = rows.filter(compute.is_in(rows[KEY], value_set=pa.array(chosen, rows[KEY].type)))
            for row in rows.to_pylist():
                time = row["event_timestamp"].timestamp()
                if row[KEY] not in newest or newest[row[KEY]][0] < time:
                    newest[row[KEY]] = (time, [row[name] for name in FEATURES])
    return {key: values for key, (_, values) in sorted(newest.items())}


def feast(repo: pathlib.Path, entities: list[int]) -> dict[int, list[float]]:
    """What Feast finds online."""
    from feast import FeatureStore

    found = FeatureStore(repo_path=str(repo)).get_online_features(
        features=[f"{VIEW}:{name}" for name in FEATURES], entity_rows=[{KEY: entity} for entity in entities]
    )
    found = found.to_dict()
    return {entity: [found[name][row] for name in FEATURES] for row, entity in enumerate(found[KEY])}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    which = arguments.add_subparsers(required=True, dest="which")
    rows = which.add_parser("expected")
    rows.add_argument("case", choices=CASES)
    rows.add_argument("--data", type=pathlib.Path, required=True)
    store = which.add_parser("feast")
    store.add_argument("repo", type=pathlib.Path)
    store.add_argument("entities", type=int, nargs="+")
    chosen = arguments.parse_args()
    if chosen.which == "feast":
        print(json.dumps(feast(chosen.repo, chosen.entities)))
    else:
        case = CASES[chosen.case]
        print(json.dumps(expected(case, case.source(chosen.data))))


if __name__ == "__main__":
    main()
