"""DuckDB as its manual has it: one ASOF LEFT JOIN per view; what is older than the TTL is blanked."""

import duckdb

from arguments import feature_names, parser

chosen = parser(__doc__).parse_args()
# Hours: a day of DuckDB has 23 of them when the clocks of the machine's time zone go forward.
columns, joins = "", ""
for view in chosen.views:
    name = view.name
    visible = f"{name}.event_timestamp >= spine.event_timestamp - INTERVAL {24 * chosen.ttl_days} HOUR"
    for feature in feature_names(view):
        columns += f", CASE WHEN {visible} THEN {name}.{feature} END AS {feature}"
    joins += f"""
        ASOF LEFT JOIN read_parquet('{view}/*.parquet') {name}
            ON spine.user_id = {name}.user_id AND spine.event_timestamp >= {name}.event_timestamp"""

connection = duckdb.connect()
# Keeping the order would cost time and memory for nothing: an ASOF join does not keep it anyway.
connection.execute(f"SET preserve_insertion_order = false; SET memory_limit = '{chosen.memory}B'")
connection.execute(f"""
    COPY (SELECT spine.*{columns} FROM read_parquet('{chosen.spine}') spine {joins})
    TO '{chosen.out}' (FORMAT parquet, COMPRESSION snappy)
""")
