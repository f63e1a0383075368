"""A real PostgreSQL from a Python wheel, for as long as a test session."""

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from load.servers.postgres_programs import how_to_run, run_program
from load.servers.process import accepts, free_port, tied_to_us
from tests.support.processes import end, spawn
from tests.support.waiting import wait_until_sync

OWNER = "promptroom"
_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "max_wal_size": "4GB",
    "autovacuum": "off",
    "log_min_messages": "warning",
}


class PostgresFailed(Exception):
    """One of PostgreSQL's programs ended with an error; the message is what it said."""


class PostgresServer:
    """One server with its own data directory and a port that it keeps across restarts.

    Args:
        fsync: Whether a commit waits for the disk. Without it a commit still survives every death of the server's
            processes, `stop_immediate` among them, as long as the machine lives: enough for all but measurements.
    """

    def __init__(self, *, fsync: bool = False) -> None:
        self.port = free_port()
        self._fsync = fsync
        self._names = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._directory = Path(tempfile.mkdtemp(prefix="promptroom-postgres-"))
        self._programs, self._before, self._user = how_to_run(self._directory)
        self._initialise()

    @property
    def log(self) -> str:
        """Everything the server has said."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the server, if it is not running, and wait until it answers."""
        if self.running:
            return
        options = _OPTIONS | {"port": str(self.port), "fsync": "on" if self._fsync else "off"}
        settings = [argument for name, value in options.items() for argument in ("-c", f"{name}={value}")]
        command = [str(self._programs / "postgres"), "-D", str(self._directory / "data"), *settings]
        self._process = spawn([*self._before, *tied_to_us(command)], log=self._log, user=self._user)
        wait_until_sync(self._answers, what=f"PostgreSQL on port {self.port}", seconds=60)

    def stop(self) -> None:
        """Stop the server as `pg_ctl stop -m fast` does: clients are cut off, and everything is written."""
        self._end(signal.SIGINT)

    def stop_immediate(self) -> None:
        """Stop the server as a crash would (`pg_ctl stop -m immediate`); the next start recovers from the log."""
        self._end(signal.SIGQUIT)

    def new_database(self) -> str:
        """Create an empty database and return its DATABASE_URL."""
        name = f"test_{next(self._names)}"
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", OWNER, name)
        return f"postgresql+asyncpg://{OWNER}@127.0.0.1:{self.port}/{name}"

    def drop_database(self, url: str) -> None:
        """Drop a database, whoever is still connected to it."""
        name = url.rpartition("/")[2]
        self._run("dropdb", "--force", "-h", "127.0.0.1", "-p", str(self.port), "-U", OWNER, name)

    def close(self) -> None:
        """Stop the server and remove its data."""
        self.stop_immediate()
        shutil.rmtree(self._directory, ignore_errors=True)

    @property
    def _log(self) -> Path:
        return self._directory / "log"

    def _initialise(self) -> None:
        if self._user is not None:
            os.chown(self._directory, self._user, self._user)
        data = str(self._directory / "data")
        self._run("initdb", "-D", data, "-U", OWNER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")

    def _answers(self) -> bool:
        if not self.running:
            message = f"PostgreSQL ended at its start:\n{self.log}"
            raise PostgresFailed(message)
        asked = subprocess.run(
            [self._programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False
        )
        return asked.returncode == 0

    def _end(self, by: signal.Signals) -> None:
        if self._process is None:
            return
        end(self._process, by=by)
        wait_until_sync(lambda: not accepts(self.port), what=f"port {self.port} to be free again")

    def _run(self, program: str, *arguments: str) -> None:
        run_program((self._programs, self._before, self._user), program, *arguments)
