"""DuckDB with window functions: spine and events as one relation, one RANGE frame per window.

Times are microseconds as integers, so that a frame that begins one microsecond after `t - w` is exact. What was tried:
avg() as a function of its own instead of sum / count, nulls kept, and the spine's columns joined afterwards instead of
carried through, together take a sixth (uniform keys) to a third (skewed keys) more CPU time. Half of the time goes into
minima and maxima; duckdb_prefix_sums.py saves some of the other half.
"""

import duckdb

from arguments import parser

chosen = parser(__doc__).parse_args()
frames, aggregates, columns = [], [], []
for name, seconds in chosen.windows.items():
    frames.append(
        f"w{name} AS (PARTITION BY user_id ORDER BY t RANGE BETWEEN {seconds * 10**6 - 1} PRECEDING AND CURRENT ROW)"
    )
    aggregates += [f"{f}(amount) OVER w{name} AS {f}_{name}" for f in ("count", "sum", "min", "max")]
    columns.append(f"count_{name}, sum_{name}, sum_{name} / count_{name} AS avg_{name}, min_{name}, max_{name}")

connection = duckdb.connect()
connection.execute(f"SET preserve_insertion_order = false; SET memory_limit = '{chosen.memory}B'; SET TimeZone = 'UTC'")
connection.execute(f"""
    COPY (
        SELECT row_id, user_id, make_timestamptz(t) AS event_timestamp, label, {", ".join(columns)}
        FROM (
            SELECT *, {", ".join(aggregates)}
            FROM (
                SELECT NULL::BIGINT AS row_id, user_id, epoch_us(event_timestamp) AS t, NULL::BOOLEAN AS label, amount
                FROM read_parquet('{chosen.events}/*.parquet') WHERE amount IS NOT NULL
                UNION ALL
                SELECT row_id, user_id, epoch_us(event_timestamp), label, NULL FROM read_parquet('{chosen.spine}')
            )
            WINDOW {", ".join(frames)}
            QUALIFY row_id IS NOT NULL
        )
    ) TO '{chosen.out}' (FORMAT parquet, COMPRESSION snappy)
""")
