"""Who materializes, by which command, and how one round of it goes."""

import dataclasses
import json
import pathlib
import shutil

import feature_repo
from cases import END, FEATURES, KEY, PROJECT, START, VIEW, Case
from processes import Redis, redis
from setting import Setting, quietly, script

FEAST_BATCH_ROWS = 10_000
MANY_ROWS = 100

TITLES = {
    "floor": "the floor: a bare client, Redis only",
    "floor-many": f"the same, {MANY_ROWS} rows per command",
    "fs-redis-publish": "fs, Delta to Redis",
    "fs-redis": "fs, Parquet to Delta to Redis",
    "fs-lmdb-publish": "fs, Delta to LMDB",
    "fs-lmdb": "fs, Parquet to Delta to LMDB",
    "feast": "Feast, Parquet to Redis",
}
"""In the order of the tables."""

Found = dict[str, dict]
"""What a round measured, by system."""


def on_redis(setting: Setting, case: Case, with_floor: bool) -> Found:
    """`fs` into an empty Redis; the same rows into another by a bare client; `fs` again, from its table alone."""
    with redis("redis-fs", setting.scratch, core=None) as store:
        fs = Fs(setting, case, feature_repo.redis(store.port), store)
        found = {"fs-redis": fs.materialize()}
        if with_floor:
            found |= floor(setting, store, case.entities)
        store.ask("FLUSHALL", "SYNC")
        found["fs-redis-publish"] = fs.publish()
        fs.check()
        return found


def on_lmdb(setting: Setting, case: Case, with_floor: bool) -> Found:
    """`fs` into an empty LMDB, and again from its table alone."""
    fs = Fs(setting, case, feature_repo.LMDB, None)
    found = {"fs-lmdb": fs.materialize()}
    shutil.rmtree(fs.repo / ".fs" / "online")
    found["fs-lmdb-publish"] = fs.publish()
    fs.check()
    return found


def by_feast(setting: Setting, case: Case, with_floor: bool) -> Found:
    """Feast into an empty Redis. It has no table in between: rows go from the file to Redis."""
    with redis("redis-feast", setting.scratch, core=None) as store:
        repo, source = setting.scratch / "feast", case.source(setting.data)
        script("feast_repo.py", str(repo), str(source), str(store.port), "dask", str(FEAST_BATCH_ROWS))
        command = [str(setting.feast), "-c", str(repo), "materialize", START.isoformat(), END.isoformat()]
        found = setting.measured(command, source, store)
        if found["outcome"] == "ok":
            expect("entities of Feast", int(store.ask("DBSIZE")), case.entities)
            wanted = expected(setting, case)
            compare("Feast", json.loads(script("answers.py", "feast", str(repo), *wanted)), wanted)
        return {"feast": found | {"rows": case.rows}}


PATHS = {"redis": on_redis, "lmdb": on_lmdb, "feast": by_feast}


@dataclasses.dataclass
class Fs:
    """A feature repo of `fs`, from nothing."""

    setting: Setting
    case: Case
    online_store: str
    store: Redis | None

    def __post_init__(self) -> None:
        source = self.case.source(self.setting.data)
        feature_repo.write(self.repo, source, self.online_store, self.setting.memory_limit)
        quietly([*self.command, "apply"])

    @property
    def repo(self) -> pathlib.Path:
        return self.setting.scratch / "fs"

    @property
    def command(self) -> list[str]:
        return [str(self.setting.fs), "-C", str(self.repo), "--format", "json"]

    def materialize(self) -> dict:
        words = ["materialize", START.date().isoformat(), END.date().isoformat()]
        found = self.run(words, self.case.source(self.setting.data), written=self.case.rows)
        return found | {"rows": self.case.rows}

    def publish(self) -> dict:
        """From the table into a store that is empty: there is nothing new in the source."""
        words = ["materialize-incremental", END.date().isoformat()]
        return self.run(words, self.repo / ".fs" / "offline", written=0) | {"rows": self.case.entities}

    def run(self, words: list[str], reads: pathlib.Path, written: int) -> dict:
        found = self.setting.measured([*self.command, *words], reads, self.store)
        if found["outcome"] != "ok":
            raise SystemExit(f"fs {' '.join(words)}: {found['outcome']}\n{found['message']}")
        run = json.loads(found["answer"])["runs"][0]
        expect("rows that the table took", run["rows_written"], written)
        expect("rows that were published", run["published"], self.case.entities)
        return found

    def check(self) -> None:
        """Some entities have the values of their newest rows."""
        wanted = expected(self.setting, self.case)
        features = ",".join(f"{VIEW}:{name}" for name in FEATURES)
        entities = [word for entity in wanted for word in ("--entity", f"{KEY}={entity}")]
        answer = quietly([*self.command, "get-online-features", "--features", features, *entities])
        vectors = json.loads(answer)["vectors"]
        values = [[vector["features"][name] for name in FEATURES] for vector in vectors]
        compare("fs", dict(zip(wanted, values, strict=True)), wanted)


def floor(setting: Setting, source: Redis, rows: int) -> Found:
    """The rows that `fs` wrote into `source`, written into another Redis by a bare client."""
    found = {}
    for name, rows_per_command in (("floor", 1), ("floor-many", MANY_ROWS)):
        with redis("redis-floor", setting.scratch, core=None) as store:
            url = "redis://127.0.0.1:"
            command = [str(setting.floor), "load", "--redis", f"{url}{source.port}", "--to", f"{url}{store.port}"]
            command += ["--project", PROJECT, "--views", VIEW, "--rows-per-command", str(rows_per_command)]
            before = store.process.cpu_seconds()
            took = json.loads(quietly(command))
            expect("rows of the floor", took["rows"], rows)
            redis_cpu = store.process.cpu_seconds() - before
            found[name] = {"outcome": "ok", "wall": took["seconds"], "rows": rows, "redis_cpu": redis_cpu}
    return found


def expected(setting: Setting, case: Case) -> dict[str, list[float]]:
    """What some entities must have, by entity."""
    return json.loads(script("answers.py", "expected", case.name, "--data", str(setting.data)))


def compare(who: str, found: dict, wanted: dict) -> None:
    for entity, values in wanted.items():
        if found.get(entity) != values:
            raise SystemExit(f"{who} has wrong values of {entity}: {found.get(entity)}, not {values}")


def expect(what: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise SystemExit(f"{what}: {found:,} instead of {wanted:,}")
