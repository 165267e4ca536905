"""The arguments that every engine takes: the files to read, the file to write, and what to keep to."""

import argparse
import pathlib


def parser(description: str) -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=description.splitlines()[0])
    arguments.add_argument("--spine", type=pathlib.Path, required=True, help="a Parquet file")
    arguments.add_argument(
        "--view",
        type=pathlib.Path,
        action="append",
        required=True,
        dest="views",
        help="folder of the Parquet files of one view; repeat it for more",
    )
    arguments.add_argument("--out", type=pathlib.Path, required=True, help="the Parquet file to write")
    arguments.add_argument("--ttl-days", type=int, required=True)
    arguments.add_argument(
        "--memory", type=int, required=True, metavar="BYTES", help="what may be used, for engines that can be told"
    )
    return arguments


def feature_names(view: pathlib.Path) -> list[str]:
    """The columns of a view that are neither key nor time, from the footer of one of its files."""
    import pyarrow.parquet as pq

    names = pq.read_schema(next(view.glob("*.parquet"))).names
    return [name for name in names if name not in ("user_id", "event_timestamp")]
