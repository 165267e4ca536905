"""Another query engine's opinion: the same training set, by DuckDB, from the files that the rows came from.

    duckdb_training_set.py TRAINING_SET.parquet SPINE.parquet SPEC_JSON

SPEC_JSON:

    {
      "time": "event_timestamp",               the time column of the spine
      "views": {
        "weather": {
          "rows": "SELECT ..., file_row_number FROM read_parquet(...)",
          "keys": [["origin", "origin"]],      column of the spine, column of the rows
          "created": true,                     whether the rows have a created time
          "ttl": 10800000000,                  microseconds, or null
          "delay": 0,                          microseconds
          "known_at": true
        }
      },
      "columns": [["temp", "weather", "temp"]]   column of the training set, view, column of its rows
    }

The winners are found by a window over every pair of rows that the rule lets meet, and, but for
`known_at`, once more by ASOF LEFT JOIN, with the time to live applied afterwards; both must agree.

Prints what was compared and how many values differ, by column, with the first of them.
"""

import json
import sys

import duckdb


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


class View:
    def __init__(self, db, label, spec):
        self.db, self.label, self.spec = db, label, spec
        self.keys = [f"s.{quoted(of_spine)} = h.{quoted(own)}" for of_spine, own in spec["keys"]]
        created = "epoch_us(created_timestamp)" if spec["created"] else "CAST(NULL AS BIGINT)"
        # The position in the file breaks the last ties: of equal rows the later one counts.
        db.execute(
            f"CREATE TABLE {self.table('rows')} AS SELECT *, epoch_us(event_timestamp) AS event_us,"
            f" {created} AS created_us, row_number() OVER (ORDER BY file_row_number) AS place"
            f" FROM ({spec['rows']})"
        )

    def table(self, what):
        return quoted(f"{self.label} {what}")

    def number(self, sql):
        return self.db.execute(sql).fetchone()[0]

    def find(self):
        """Makes the table of winners: `spine_row`, `place`; tells the ways in which it was made."""
        self.window("winners")
        if self.spec["known_at"]:
            return ["window"]
        self.asof("winners by asof")
        one, other = self.table("winners"), self.table("winners by asof")
        differing = self.number(
            f"SELECT count(*) FROM (SELECT * FROM {one} EXCEPT SELECT * FROM {other})"
        )
        assert differing == 0, f"{self.label}: DuckDB disagrees with itself on {differing} rows"
        return ["window", "asof"]

    def asof(self, name):
        keys = ", ".join(quoted(own) for _, own in self.spec["keys"])
        delay, ttl = self.spec["delay"], self.spec["ttl"]
        alive = "" if ttl is None else f"AND h.event_us + {ttl} >= s.spine_us"
        self.db.execute(
            f"""CREATE TABLE {self.table(name)} AS
            WITH h AS (
                SELECT * FROM {self.table("rows")} QUALIFY row_number() OVER (
                    PARTITION BY {keys}, event_us ORDER BY created_us DESC NULLS LAST, place DESC
                ) = 1
            )
            SELECT s.spine_row, CASE WHEN h.place IS NOT NULL {alive} THEN h.place END AS place
            FROM spine s ASOF LEFT JOIN h
            ON {" AND ".join(self.keys)} AND s.spine_us >= h.event_us + {delay}"""
        )

    def meeting(self):
        """When a row of the spine and a row of the view may meet."""
        rules = [*self.keys, f"h.event_us + {self.spec['delay']} <= s.spine_us"]
        if self.spec["ttl"] is not None:
            rules.append(f"h.event_us + {self.spec['ttl']} >= s.spine_us")
        if self.spec["known_at"]:
            rules.append("coalesce(h.created_us, h.event_us) <= s.spine_us")
        return " AND ".join(rules)

    def window(self, name):
        self.db.execute(
            f"""CREATE TABLE {self.table(name)} AS
            WITH met AS (
                SELECT s.spine_row, h.place FROM spine s JOIN {self.table("rows")} h
                ON {self.meeting()}
                QUALIFY row_number() OVER (
                    PARTITION BY s.spine_row
                    ORDER BY h.event_us DESC, h.created_us DESC NULLS LAST, h.place DESC
                ) = 1
            )
            SELECT s.spine_row, met.place FROM spine s LEFT JOIN met USING (spine_row)"""
        )

    def told(self):
        """What of the hard cases the data have."""
        keys = ", ".join(quoted(own) for _, own in self.spec["keys"])
        of_spine = " OR ".join(f"{quoted(of_spine)} IS NULL" for of_spine, _ in self.spec["keys"])
        winners = self.table("winners")
        told = {
            "by": self.find(),
            "matched": self.number(f"SELECT count(place) FROM {winners}"),
            "tied_rows": self.number(
                f"""SELECT count(*) FROM {winners} JOIN {self.table("rows")} USING (place)
                JOIN (SELECT {keys}, event_us FROM {self.table("rows")}
                      GROUP BY ALL HAVING count(*) > 1) USING ({keys}, event_us)"""
            ),
            "null_keys": self.number(f"SELECT count(*) FROM spine WHERE {of_spine}"),
        }
        known = "coalesce(created_us, event_us)" if self.spec["known_at"] else "event_us"
        first = f"greatest(event_us + {self.spec['delay']}, {known})"
        told["at_their_first_microsecond"] = self.matched_at(first)
        if self.spec["ttl"] is not None:
            told["at_their_last_microsecond"] = self.matched_at(f"event_us + {self.spec['ttl']}")
        return told

    def matched_at(self, instant):
        return self.number(
            f"""SELECT count(*) FROM {self.table("winners")} JOIN spine USING (spine_row)
            JOIN {self.table("rows")} USING (place) WHERE {instant} = spine_us"""
        )


def compared(db, training_set, spec, spine_columns):
    """How many values of each column differ from what DuckDB found, and the first."""
    columns = {name: f"s.{quoted(name)}" for name in spine_columns}
    joins = []
    for at, label in enumerate(spec["views"]):
        joins.append(f"JOIN {quoted(f'{label} winners')} w{at} ON w{at}.spine_row = s.spine_row")
        joins.append(f"LEFT JOIN {quoted(f'{label} rows')} h{at} ON h{at}.place = w{at}.place")
        for name, of, column in spec["columns"]:
            if of == label:
                columns[name] = f"h{at}.{quoted(column)}"
    expected = ", ".join(f"{value} AS {quoted(name)}" for name, value in columns.items())
    db.execute(
        f"CREATE TABLE expected AS SELECT s.spine_row, {expected} FROM spine s {' '.join(joins)}"
    )
    found = f"read_parquet('{training_set}', file_row_number = true)"
    names = db.execute(f"DESCRIBE SELECT * EXCLUDE (file_row_number) FROM {found}").fetchall()
    assert [name for name, *_ in names] == [*spine_columns, *(name for name, *_ in spec["columns"])], names
    # The type of each column is that of the file that its values came from.
    wanted = db.execute("DESCRIBE SELECT * EXCLUDE (spine_row) FROM expected").fetchall()
    types = {name: kind for name, kind, *_ in wanted}
    assert all(types[name] == kind for name, kind, *_ in names), (names, wanted)
    different = {}
    for name in columns:
        rows = db.execute(
            f"""SELECT e.spine_row, CAST(e.{quoted(name)} AS VARCHAR), CAST(f.{quoted(name)} AS VARCHAR)
            FROM expected e FULL JOIN {found} f ON f.file_row_number = e.spine_row
            WHERE e.spine_row IS NULL OR f.file_row_number IS NULL
               OR e.{quoted(name)} IS DISTINCT FROM f.{quoted(name)}
            ORDER BY ALL"""
        ).fetchall()
        if rows:
            row, expected, found_value = rows[0]
            first = f"row {row}: {expected} expected, {found_value} found"
            different[name] = {"values": len(rows), "first": first}
    return len(columns), different


def main():
    training_set, spine, spec = sys.argv[1:]
    spec = json.loads(spec)
    db = duckdb.connect(config={"threads": 2})
    spine_columns = [
        name for name, *_ in db.execute(f"DESCRIBE SELECT * FROM read_parquet('{spine}')").fetchall()
    ]
    db.execute(
        f"CREATE TABLE spine AS SELECT * EXCLUDE (file_row_number), file_row_number AS spine_row,"
        f" epoch_us({quoted(spec['time'])}) AS spine_us"
        f" FROM read_parquet('{spine}', file_row_number = true)"
    )
    views = {label: View(db, label, view).told() for label, view in spec["views"].items()}
    columns, different = compared(db, training_set, spec, spine_columns)
    rows = db.execute("SELECT count(*) FROM spine").fetchone()[0]
    told = {"rows": rows, "columns": columns, "views": views, "different": different}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
