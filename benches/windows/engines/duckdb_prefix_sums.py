"""DuckDB with prefix sums: counts and sums are differences of two of them, each found by an ASOF join.

Differences of prefix sums of floats are not exact. Those of integers are, so this counts in cents: it knows of the
amounts that they have two decimals, which no general engine may. Minima and maxima have no differences; they come from
window functions, as in duckdb_windows.py.
"""

import duckdb

from arguments import parser

chosen = parser(__doc__).parse_args()
frames, extremes, columns, joins = [], [], [], ""
for name, seconds in chosen.windows.items():
    micros = seconds * 10**6
    frames.append(
        f"w{name} AS (PARTITION BY user_id ORDER BY t RANGE BETWEEN {micros - 1} PRECEDING AND CURRENT ROW)"
    )
    extremes += [f"{f}(amount) OVER w{name} AS {f}_{name}" for f in ("min", "max")]
    joins += f"""
        ASOF LEFT JOIN prefix AS before_{name}
            ON spine.user_id = before_{name}.user_id AND spine.t - {micros} >= before_{name}.t"""
    count = f"coalesce(prefix.events, 0) - coalesce(before_{name}.events, 0)"
    total = f"(coalesce(prefix.cents, 0) - coalesce(before_{name}.cents, 0)) / 100"
    columns.append(f"""
        {count} AS count_{name}, CASE WHEN {count} > 0 THEN {total} END AS sum_{name},
        {total} / nullif({count}, 0) AS avg_{name}, min_{name}, max_{name}""")

connection = duckdb.connect()
connection.execute(f"SET preserve_insertion_order = false; SET memory_limit = '{chosen.memory}B'; SET TimeZone = 'UTC'")
connection.execute(f"""
    CREATE TEMP TABLE events AS
    SELECT user_id, epoch_us(event_timestamp) AS t, amount
    FROM read_parquet('{chosen.events}/*.parquet') WHERE amount IS NOT NULL
""")
connection.execute("""
    CREATE TEMP TABLE prefix AS
    SELECT user_id, t, max(events) AS events, max(cents) AS cents
    FROM (
        SELECT user_id, t, count(*) OVER until_now AS events,
               (sum(round(amount * 100)::BIGINT) OVER until_now)::BIGINT AS cents
        FROM events
        WINDOW until_now AS (PARTITION BY user_id ORDER BY t ROWS UNBOUNDED PRECEDING)
    )
    GROUP BY user_id, t
""")
connection.execute(f"""
    CREATE TEMP TABLE spine AS
    SELECT row_id, user_id, event_timestamp, label, epoch_us(event_timestamp) AS t
    FROM read_parquet('{chosen.spine}')
""")
connection.execute(f"""
    CREATE TEMP TABLE extremes AS
    SELECT row_id, {", ".join(extremes)}
    FROM (
        SELECT NULL::BIGINT AS row_id, user_id, t, amount FROM events
        UNION ALL
        SELECT row_id, user_id, t, NULL FROM spine
    )
    WINDOW {", ".join(frames)}
    QUALIFY row_id IS NOT NULL
""")
connection.execute(f"""
    COPY (
        SELECT spine.row_id, spine.user_id, spine.event_timestamp, spine.label, {", ".join(columns)}
        FROM spine JOIN extremes USING (row_id)
        ASOF LEFT JOIN prefix ON spine.user_id = prefix.user_id AND spine.t >= prefix.t {joins}
    ) TO '{chosen.out}' (FORMAT parquet, COMPRESSION snappy)
""")
