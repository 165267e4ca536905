#!/usr/bin/env python3
"""Cut the first quarter of 2013 out of the full-year nycflights Parquet files.

    python3 -m venv venv && . venv/bin/activate && pip install pyarrow==26.0.1
    python make_data.py --year FOLDER --out .

No value is changed: rows are selected by event time (UTC) and columns by name.
"""

import argparse
import datetime
import pathlib

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

END = pa.scalar(datetime.datetime(2013, 4, 1, tzinfo=datetime.timezone.utc), pa.timestamp("us", tz="UTC"))

COLUMNS = {
    "flight_outcomes": None,
    "departures": None,
    "label_spine": None,
    "weather": ["origin", "temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip",
                "pressure", "visib", "event_timestamp", "created_timestamp"],
    "planes": ["tailnum", "year", "manufacturer", "model", "engines", "seats", "event_timestamp"],
}


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--year", type=pathlib.Path, required=True, help="folder of the full-year files")
    ap.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    args = ap.parse_args()
    for name, columns in COLUMNS.items():
        table = pq.read_table(args.year / f"{name}.parquet", columns=columns)
        table = table.filter(pc.less(table["event_timestamp"], END))
        path = args.out / f"{name}.parquet"
        pq.write_table(table, path, compression="zstd", compression_level=19, row_group_size=32_768)
        print(f"{path.name:26} {table.num_rows:>8,} rows {path.stat().st_size:>10,} bytes")


if __name__ == "__main__":
    main()
