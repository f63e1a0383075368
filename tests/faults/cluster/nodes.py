"""One node of a cluster: a real server, its own lines to the database and to Redis, and what can happen to it."""

import asyncio
import http.client
import json
import os
import signal
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tests.faults.cluster.proxy import Proxy
from tests.faults.crashes import CrashingServer

_ORDINARY = "server"
_CRASHING = CrashingServer.program


class Node:
    """A server that reaches the database and Redis over lines of its own.

    Args:
        number: Its number, from 0.
        server: Its process, not started.
        to_postgres: Its line to the database.
        to_redis: Its line to Redis, if there is one.
    """

    def __init__(self, number: int, server: CrashingServer, to_postgres: Proxy, to_redis: Proxy | None) -> None:
        self.number = number
        self.server = server
        self.to_postgres = to_postgres
        self._to_redis = to_redis
        self.is_paused = False

    @property
    def to_redis(self) -> Proxy:
        """Its line to Redis."""
        assert self._to_redis is not None, "this cluster has no Redis"
        return self._to_redis

    @property
    def lines(self) -> list[Proxy]:
        """All its lines."""
        return [self.to_postgres, *([self._to_redis] if self._to_redis else [])]

    @property
    def running(self) -> bool:
        """Whether its process is there, paused or not."""
        return self.server.running

    @property
    def crashed(self) -> bool:
        """Whether its process was killed, by `kill` or by itself at a crash point."""
        return self.server.crashed

    async def start(self, *, crash_at: str = "") -> None:
        """Start it and wait until `/readyz` answers 200, or until it has died of what it was told.

        Args:
            crash_at: Where it dies, such as `commit:after:3`; the points stand in `tests.faults.crashing_server`.

        Raises:
            ServerFailed: It ended at its start, and not of that.
        """
        self.is_paused = False
        self.server.program = _CRASHING if crash_at else _ORDINARY
        self.server.crash_at = crash_at
        await self.server.start()

    def kill(self) -> None:
        """End it as `kill -9` does, paused or not, and return when it is gone."""
        self.server.kill()
        self.is_paused = False

    async def terminate(self) -> int:
        """End it as a deploy does, wait until it has ended, and return its exit code; not while it is paused."""
        return await self.server.terminate()

    def pause(self) -> None:
        """Stop its clock, so to say: it does nothing, says nothing and keeps everything, until `resume`."""
        self._signal(signal.SIGSTOP)
        self.is_paused = True

    def resume(self) -> None:
        """Let it go on, if it was paused."""
        self._signal(signal.SIGCONT)
        self.is_paused = False

    def heal_lines(self) -> None:
        """End every fault on its lines."""
        for line in self.lines:
            line.heal()

    def descriptors(self) -> int:
        """Return how many files and sockets its process has open (Linux)."""
        return sum(1 for _ in Path(f"/proc/{self.server.pid}/fd").iterdir())

    def memory(self) -> int:
        """Return how many bytes of memory its process has resident (Linux)."""
        return self._status("VmRSS") * 1024

    def threads(self) -> int:
        """Return how many threads its process has (Linux)."""
        return self._status("Threads")

    async def readiness(self) -> "Readiness":
        """Ask `/readyz`, past the door."""
        return await asyncio.to_thread(_ask, f"{self.server.base_url}/readyz")

    def _signal(self, number: signal.Signals) -> None:
        if self.server.running:
            os.kill(self.server.pid, number)

    def _status(self, name: str) -> int:
        lines = Path(f"/proc/{self.server.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a node says about itself.

    Args:
        status: `ready`, `degraded` or `unavailable`; empty where it did not answer.
        bus: `up` or `down`; empty where it does not say.
        connections: How many clients it serves.
        rooms: How many rooms it has open.
    """

    status: str = ""
    bus: str = ""
    connections: int = 0
    rooms: int = 0

    @property
    def is_healthy(self) -> bool:
        """Whether nothing is missing."""
        return self.status == "ready" and self.bus == "up"


def _ask(url: str) -> Readiness:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own http URL
            return _read(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return _read(error.read())
    except (OSError, http.client.HTTPException):
        return Readiness()


def _read(answer: bytes) -> Readiness:
    try:
        said = json.loads(answer)
        bus = said["bus"]["state"]
        return Readiness(said["status"], bus, said["connections"], said["rooms"])
    except (ValueError, KeyError, TypeError):
        return Readiness()
