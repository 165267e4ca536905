"""Polars with a range join: every pair of a spine row and an event of the longest window, then one aggregation.

On the streaming engine. What was tried, on 10 million events beside a spine of one million, uniform keys: an equi-join
and a filter instead of `join_where` take a tenth more CPU time; filters within the aggregation instead of when/then
before it take a sixth more, and half as much memory again.
"""

import polars as pl

from arguments import parser

chosen = parser(__doc__).parse_args()
spine = pl.scan_parquet(chosen.spine)
events = pl.scan_parquet(chosen.events / "*.parquet").drop_nulls("amount")
event, amount = pl.col("event_timestamp"), pl.col("amount")


def begins(seconds: int) -> pl.Expr:
    return pl.col("t") - pl.lit(seconds * 10**6, dtype=pl.Duration("us"))


def aggregates(name: str) -> list[pl.Expr]:
    column = pl.col(name)
    count = column.count().cast(pl.Int64)
    return [
        count.alias(f"count_{name}"),
        pl.when(count > 0).then(column.sum()).alias(f"sum_{name}"),
        column.mean().alias(f"avg_{name}"),
        column.min().alias(f"min_{name}"),
        column.max().alias(f"max_{name}"),
    ]


pairs = (
    spine.select("row_id", "user_id", t="event_timestamp")
    .join_where(
        events,
        pl.col("user_id") == pl.col("user_id_right"),
        event <= pl.col("t"),
        event > begins(max(chosen.windows.values())),
    )
    .select(
        "row_id",
        *[pl.when(event > begins(seconds)).then(amount).alias(name) for name, seconds in chosen.windows.items()],
    )
)
answers = pairs.group_by("row_id").agg([each for name in chosen.windows for each in aggregates(name)])
counts = [pl.col(f"count_{name}").fill_null(0) for name in chosen.windows]
training_set = spine.join(answers, on="row_id", how="left").with_columns(counts)
training_set.collect(engine="streaming").write_parquet(chosen.out, compression="snappy")
