"""Starting servers on a core of their own, and ending them."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from load.servers.server import ServerFailed

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.02
_SAID_AT_LAST: Final = 4_000
# Not seeded: several runs on one machine must not choose the same ports.
_CHANCE: Final = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Cores:
    """Who runs where: the server under load alone, and so, where there are three, its database.

    Args:
        server: the core of the server under load; none, where there is only one in all.
        database: the core of the server's database; where there are only two, the generator's.
        generator: all other cores.
        more: a core for each further node of the server; none, where there are too few, and all share the first.
    """

    server: frozenset[int]
    database: frozenset[int]
    generator: frozenset[int]
    more: tuple[frozenset[int], ...] = ()

    def of_node(self, number: int) -> frozenset[int]:
        """The core of a node, counted from 0."""
        return self.more[number - 1] if number and self.more else self.server


@cache
def cores(nodes: int = 1) -> Cores:
    """The cores that this process was started on, shared out once for all.

    Args:
        nodes: of how many processes the server under load consists.
    """
    if not hasattr(os, "sched_getaffinity"):
        return Cores(frozenset(), frozenset(), frozenset())
    first, *others = _started_on()
    generators = others[1:] or others
    more: list[int] = []
    if nodes > 1 and len(generators) >= nodes:
        generators, more = generators[: 1 - nodes], generators[1 - nodes :]
    return Cores(
        frozenset({first} if others else ()),
        frozenset(others[:1]),
        frozenset(generators),
        tuple(frozenset({core}) for core in more),
    )


def leave_the_servers_core(nodes: int = 1) -> bool:
    """Keep this process, and what it starts from now on, off the server's cores; answers whether there are others.

    Args:
        nodes: of how many processes the server under load consists.
    """
    if not cores(nodes).generator:
        return False
    os.sched_setaffinity(0, cores(nodes).generator)
    return True


@cache
def _started_on() -> Sequence[int]:
    return sorted(os.sched_getaffinity(0))


class Process:
    """A program that runs in the background, and can be started again.

    Args:
        command: the program and its arguments.
        directory: where it works, and where its log is kept.
        is_ready: tells whether it may be talked to.
        on: the cores that all its threads run on; no choice is made where there are none.
        user: the user it runs as; ours where it is None.
    """

    def __init__(
        self,
        command: Sequence[str],
        directory: Path,
        is_ready: Callable[[], bool],
        *,
        on: frozenset[int],
        user: int | None = None,
    ) -> None:
        self._command = tied_to_us(command)
        self._directory = directory
        self._is_ready = is_ready
        self._on = on
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its id.

        Raises:
            ServerFailed: It was never started.
        """
        if self._process is None:
            raise ServerFailed("the server was never started")
        return self._process.pid

    @property
    def log(self) -> str:
        """The last of what it has said."""
        path = self._directory / "log"
        return path.read_text(errors="replace")[-_SAID_AT_LAST:] if path.exists() else ""

    def start(self) -> None:
        """Start it and wait until it is ready.

        Raises:
            ServerFailed: It ended, or was not ready in time.
        """
        with (self._directory / "log").open("ab") as log, _this_thread_on(self._on):
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._directory,
                user=self._user,
                group=self._user,
                extra_groups=None if self._user is None else [],
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise ServerFailed(f"{self._command[-1]} did not start:\n{self.log}")
            time.sleep(_POLL_SECONDS)

    def kill(self) -> None:
        """End it as `kill -9` does, and return when it is gone."""
        self.end(signal.SIGKILL)

    def send(self, by: signal.Signals) -> None:
        """Send it a signal, and do not wait for what comes of it."""
        if self._process is not None:
            self._process.send_signal(by)

    def end(self, by: signal.Signals = signal.SIGTERM) -> None:
        """Send it a signal, and return when it is gone; kill it if that takes too long."""
        if self._process is None:
            return
        self.send(by)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on, and that no connection is given.

    A server that is killed and started finds it free again: systems take the ports of outgoing connections from 32768
    upwards.
    """
    while True:
        port = _CHANCE.randrange(20_000, 32_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def accepts(port: int) -> bool:
    """Whether something listens on the port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def tied_to_us(command: Sequence[str | Path]) -> list[str]:
    """A command that the system kills when this process dies (Linux; elsewhere unchanged)."""
    setpriv = shutil.which("setpriv")
    return [*([setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []), *map(str, command)]


@contextmanager
def _this_thread_on(chosen: frozenset[int]) -> Iterator[None]:
    """A child starts where the thread that makes it runs, so that none of its threads was ever anywhere else."""
    if not chosen:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, chosen)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
