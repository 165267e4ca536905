"""The arguments that every engine takes: the files to read, the file to write, and what to keep to."""

import argparse
import pathlib

FUNCTIONS = ("count", "sum", "avg", "min", "max")


def parser(description: str) -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=description.splitlines()[0])
    arguments.add_argument("--spine", type=pathlib.Path, required=True, help="a Parquet file")
    arguments.add_argument("--events", type=pathlib.Path, required=True, help="a folder of Parquet files")
    arguments.add_argument("--out", type=pathlib.Path, required=True, help="the Parquet file to write")
    arguments.add_argument(
        "--windows", type=windows, required=True, metavar="NAME=SECONDS,…", help="such as 1h=3600,1d=86400"
    )
    arguments.add_argument(
        "--memory", type=int, required=True, metavar="BYTES", help="what may be used, for engines that can be told"
    )
    return arguments


def windows(text: str) -> dict[str, int]:
    """Seconds by name, shortest first."""
    return {name: int(seconds) for name, seconds in (window.split("=") for window in text.split(","))}
