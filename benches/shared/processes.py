"""Processes that serve: started on a core, found when they answer, ended."""

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator

SERVER_CORE, CLIENT_CORE = 0, 1
READY_SECONDS = 60.0
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclasses.dataclass
class Process:
    """A process that runs, and what it said."""

    name: str
    process: subprocess.Popen
    out: pathlib.Path
    log: pathlib.Path

    def answer(self) -> str:
        """What it wrote to standard output."""
        return self.out.read_text()

    def said(self) -> str:
        """The end of all that it wrote."""
        return (self.answer() + self.log.read_text(errors="replace"))[-2_000:]

    def wait_until(self, ready: Callable[[], object]) -> object:
        """What `ready` returns once that is something; an error of connecting is nothing."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise SystemExit(f"{self.name} ended by itself:\n{self.said()}")
            with contextlib.suppress(OSError, ValueError):
                if answer := ready():
                    return answer
            time.sleep(0.05)
        raise SystemExit(f"{self.name} did not answer within {READY_SECONDS:.0f} s:\n{self.said()}")

    def cpu_seconds(self) -> float:
        """User and system time of the process and what it started."""
        return sum(cpu_seconds(pid) for pid in descendants(self.process.pid))

    def resident_bytes(self) -> int:
        """Resident memory of the process and what it started."""
        return sum(resident_bytes(pid) for pid in descendants(self.process.pid))

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@contextlib.contextmanager
def started(name: str, command: list[str], core: int | None, folder: pathlib.Path, **more: str) -> Iterator[Process]:
    """Runs `command` on one core, or on any, in a session of its own, for as long as the context lasts."""
    folder.mkdir(parents=True, exist_ok=True)
    out, log = folder / f"{name}.out", folder / f"{name}.log"
    with out.open("wb") as stdout, log.open("wb") as stderr:
        process = subprocess.Popen(
            command if core is None else ["taskset", "--cpu-list", str(core), *command],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=os.environ | more,
            start_new_session=True,
        )
    running = Process(name, process, out, log)
    try:
        yield running
    finally:
        running.end()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def redis(name: str, folder: pathlib.Path, core: int | None = CLIENT_CORE) -> Iterator["Redis"]:
    """A Redis that keeps nothing on disk, by default on the core of the client."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with started(name, command, core, folder) as process:
        server = Redis(port, process)
        process.wait_until(lambda: server.ask("PING") == "PONG")
        yield server


@dataclasses.dataclass
class Redis:
    """A Redis that runs."""

    port: int
    process: Process

    def ask(self, *command: str) -> object:
        import redis as client

        with client.Redis(port=self.port, decode_responses=True) as connection:
            try:
                answer = connection.execute_command(*command)
            except client.ConnectionError as error:
                raise OSError(error) from error
            return "PONG" if answer is True else answer

    def used_bytes(self) -> int:
        return int(self.ask("INFO", "memory")["used_memory"])

    def row_bytes(self, project: str, view: str) -> list[int]:
        """How long each row of a view of `fs` is, as it lies in its bucket: a field of a hash."""
        import redis as client

        lengths = []
        with client.Redis(port=self.port) as connection:
            for bucket in connection.scan_iter(f"fs1:{{*}}:{project}:{view}"):
                lengths += [len(row) for _, row in connection.hscan_iter(bucket, count=1_000)]
        return lengths


@contextlib.contextmanager
def fs_server(
    name: str, fs: pathlib.Path, repo: pathlib.Path, folder: pathlib.Path, *more: str
) -> Iterator["Server"]:
    """`fs serve`, on any free ports, which it tells."""
    command = [str(fs), "-C", str(repo), "--format", "json", "serve", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]
    command += more
    with started(name, command, SERVER_CORE, folder) as process:
        told = process.wait_until(lambda: json.loads(process.answer()))
        yield Server(process, told["grpc"], told["http"])


@contextlib.contextmanager
def floor_server(floor: pathlib.Path, redis: Redis, store: list[str], folder: pathlib.Path) -> Iterator["Server"]:
    """The floor: gRPC in front of Redis, and nothing between."""
    address = f"127.0.0.1:{free_port()}"
    command = [str(floor), "serve", "--redis", f"redis://127.0.0.1:{redis.port}", "--listen", address, *store]
    with started("floor", command, SERVER_CORE, folder) as process:
        process.wait_until(lambda: accepts(address))
        yield Server(process, address, None)


@contextlib.contextmanager
def feast_server(feast: pathlib.Path, repo: pathlib.Path, workers: int, folder: pathlib.Path) -> Iterator["Server"]:
    """Feast's Python server, which is gunicorn with uvicorn workers.

    Workers are not restarted after a number of requests, and the registry is hardly ever read again, both of which
    would only slow it down.
    """
    address = f"127.0.0.1:{free_port()}"
    host, port = address.split(":")
    command = [str(feast), "-c", str(repo), "serve", "-h", host, "-p", port, "--workers", str(workers)]
    command += ["--no-access-log", "--max-requests", "0", "--max-requests-jitter", "0", "--registry_ttl_sec", "3600"]
    with started("feast", command, SERVER_CORE, folder, FEAST_USAGE="False") as process:
        process.wait_until(lambda: urllib.request.urlopen(f"http://{address}/health", timeout=5).status == 200)
        yield Server(process, None, address)


@dataclasses.dataclass
class Server:
    """A feature server that runs, and where it listens."""

    process: Process
    grpc: str | None
    http: str | None


def accepts(address: str) -> bool:
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=1):
        return True


def descendants(pid: int) -> Iterator[int]:
    """`pid` and what it started, as far as it is still there."""
    yield pid
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            for child in pathlib.Path(f"/proc/{pid}/task/{thread}/children").read_text().split():
                yield from descendants(int(child))


def cpu_seconds(pid: int) -> float:
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_bytes(pid: int) -> int:
    try:
        return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (FileNotFoundError, ProcessLookupError):
        return 0
