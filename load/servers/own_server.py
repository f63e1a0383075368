"""What all servers that are measured have in common: a process, a port, and a directory for what they keep."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from load.dialects import Dialect
from load.servers.process import Process, accepts, cores, free_port
from load.servers.server import Address, Counts, ServerFailed
from load.usage import Usage, usage_of


class OwnServer(ABC):
    """A server that is started for a run.

    Args:
        name: what it is called in the results.
        dialect: how it is spoken to.
    """

    takes_content = False

    def __init__(self, name: str, dialect: Dialect) -> None:
        self.name = name
        self.dialect = dialect
        self.token = ""
        self.port = 0
        self.forgets = False
        """Whether it is to let go of a document as soon as nobody has it open."""
        self._directory: Path | None = None
        self._process: Process | None = None

    @abstractmethod
    def command(self) -> Sequence[str]:
        """The program and its arguments; the port and the directory are known by then."""

    @property
    def directory(self) -> Path:
        """Where it keeps what it keeps.

        Raises:
            ServerFailed: It was never started.
        """
        if self._directory is None:
            raise ServerFailed(f"{self.name} was never started")
        return self._directory

    @property
    def process(self) -> Process:
        """Its process.

        Raises:
            ServerFailed: It was never started.
        """
        if self._process is None:
            raise ServerFailed(f"{self.name} was never started")
        return self._process

    def settle(self) -> None:
        """Choose the port and make the directory, unless that has been done."""
        if self._directory is None:
            self._directory = Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
            self.port = free_port()

    async def start(self) -> None:
        """Start it on fresh storage."""
        self.settle()
        await self.restart()

    async def stop(self) -> None:
        """End it, and remove what it kept."""
        if self._process is not None:
            await asyncio.to_thread(self._process.end)
        if self._directory is not None:
            await asyncio.to_thread(shutil.rmtree, self._directory, ignore_errors=True)

    async def document(self, name: str, content: str = "") -> Address:
        """A document comes into being when it is first opened.

        Raises:
            ServerFailed: It cannot begin with a text.
        """
        if content:
            raise ServerFailed(f"{self.name} creates no documents with a text")
        document = "-".join(name.lower().split())
        return Address(f"ws://127.0.0.1:{self.port}/{document}", document)

    def core(self) -> frozenset[int]:
        """On which it runs."""
        return cores().server

    def is_ready(self) -> bool:
        """Whether it may be talked to."""
        return accepts(self.port)

    def usage(self) -> Usage:
        """What its process has used so far."""
        return usage_of(self.process.pid)

    def database_usage(self) -> Usage | None:
        """Nothing: it has no database server."""
        return None

    def bus_usage(self) -> Usage | None:
        """Nothing: it is one process."""
        return None

    async def counts(self) -> Counts | None:
        """Nothing: it does not say."""
        return None

    async def journal(self, documents: Sequence[str]) -> Sequence[bytes] | None:  # noqa: ARG002 - as below
        """Nothing: what it keeps is its own affair."""
        return None

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self.process.kill()

    async def restart(self, *, forgets: bool = False) -> None:
        """Start it again."""
        self.forgets = forgets
        self._process = Process(self.command(), self.directory, self.is_ready, on=self.core())
        await asyncio.to_thread(self._process.start)

    async def has_forgotten(self) -> bool:
        """Always: it keeps nothing that nobody has open."""
        return True

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.stop()
