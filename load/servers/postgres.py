"""A real PostgreSQL, for as long as a run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from load.servers.postgres_programs import how_to_run, run_program
from load.servers.process import Process, cores, free_port
from load.usage import Usage, usage_of

OWNER: Final = "promptroom"
# Its own defaults, but for where it listens: what is measured is a database that keeps its promises.
_OPTIONS: Final = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "log_min_messages": "warning"}


class Postgres:
    """One server with its own data directory, beside the generator: the server under load has its core for itself."""

    def __init__(self) -> None:
        self.port = free_port()
        self._directory = Path(tempfile.mkdtemp(prefix="promptroom-load-postgres-"))
        self._programs, self._before, self._user = how_to_run(self._directory)
        options = {**_OPTIONS, "port": str(self.port)}
        settings = [argument for name, value in options.items() for argument in ("-c", f"{name}={value}")]
        command = [*self._before, str(self._programs / "postgres"), "-D", str(self._directory / "data"), *settings]
        self._process = Process(command, self._directory, self._answers, on=cores().database, user=self._user)

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
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", OWNER, "load")
        return f"postgresql+asyncpg://{OWNER}@127.0.0.1:{self.port}/load"

    def usage(self) -> Usage:
        """What it has used so far."""
        return usage_of(self._process.pid)

    def close(self) -> None:
        """Stop it at once, and remove its data."""
        self._process.end(signal.SIGQUIT)
        shutil.rmtree(self._directory, ignore_errors=True)

    def _answers(self) -> bool:
        asked = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(asked, check=False).returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        run_program((self._programs, self._before, self._user), program, *arguments)
