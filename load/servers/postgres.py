"""A real PostgreSQL, for as long as a run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import asyncpg

from load.servers.postgres_programs import how_to_run, run_program
from load.servers.process import STOP_SECONDS, Process, cores, free_port
from load.servers.server import ServerFailed
from load.usage import Usage, is_running, processes_of, usage_of

OWNER: Final = "promptroom"
_DATABASE: Final = "load"
_JOURNAL: Final = "SELECT payload FROM journal WHERE prompt_id = ANY ($1::uuid[]) ORDER BY prompt_id, seq"
_POLL_SECONDS: Final = 0.01
# Its own defaults, but for where it listens: what is measured is a database that keeps its promises.
_OPTIONS: Final = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "log_min_messages": "warning"}


class Postgres:
    """One server with its own data directory.

    Args:
        on: the cores that it runs on; where none are named, beside the generator: the server under load has its core
            for itself.
    """

    def __init__(self, on: frozenset[int] | None = None) -> None:
        self.port = free_port()
        self._directory = Path(tempfile.mkdtemp(prefix="promptroom-load-postgres-"))
        self._programs, self._before, self._user = how_to_run(self._directory)
        options = {**_OPTIONS, "port": str(self.port)}
        settings = [argument for name, value in options.items() for argument in ("-c", f"{name}={value}")]
        command = [*self._before, str(self._programs / "postgres"), "-D", str(self._directory / "data"), *settings]
        chosen = cores().database if on is None else on
        self._process = Process(command, self._directory, self._answers, on=chosen, user=self._user)

    def start(self) -> str:
        """Start it, and return the URL of an empty database in it.

        Raises:
            ServerFailed: It did not start.
        """
        if self._user is not None:
            os.chown(self._directory, self._user, self._user)
        data = str(self._directory / "data")
        self._run("initdb", "-D", data, "-U", OWNER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        self._process.start()
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", OWNER, _DATABASE)
        return f"postgresql+asyncpg://{self._place}"

    def usage(self) -> Usage:
        """What it has used since it was started last."""
        return usage_of(self._process.pid)

    def run(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's programs on the database, and return what it printed.

        Args:
            program: such as `pgbench`.
            arguments: what follows it, besides where the database is.

        Raises:
            ServerFailed: It ended with an error.
        """
        how = (self._programs, self._before, self._user)
        return run_program(how, program, "-h", "127.0.0.1", "-p", str(self.port), "-U", OWNER, *arguments, _DATABASE)

    def kill(self) -> None:
        """End all its processes as `kill -9` does, and return when they are gone; what it has is kept.

        Raises:
            ServerFailed: They do not go.
        """
        processes = [*processes_of(self._process.pid)]
        for each in processes:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        self._process.kill()
        deadline = time.monotonic() + STOP_SECONDS
        # One that is left would keep the next server from its memory.
        while any(map(is_running, processes)):
            if time.monotonic() > deadline:
                raise ServerFailed("PostgreSQL's processes do not end")
            time.sleep(_POLL_SECONDS)

    def restart(self) -> None:
        """Start it again after `kill`; it recovers from its log.

        Raises:
            ServerFailed: It did not start.
        """
        self._process.start()

    async def journal(self, prompts: Sequence[str]) -> Sequence[bytes]:
        """The payload of every row of the journal of these prompts, in the order of each.

        Args:
            prompts: their ids.
        """
        connection = await asyncpg.connect(f"postgresql://{self._place}")
        try:
            rows = await connection.fetch(_JOURNAL, prompts)
        finally:
            await connection.close()
        return [row["payload"] for row in rows]

    def close(self) -> None:
        """Stop it at once, and remove its data."""
        self._process.end(signal.SIGQUIT)
        shutil.rmtree(self._directory, ignore_errors=True)

    @property
    def _place(self) -> str:
        return f"{OWNER}@127.0.0.1:{self.port}/{_DATABASE}"

    def _answers(self) -> bool:
        asked = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(asked, check=False).returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        run_program((self._programs, self._before, self._user), program, *arguments)
