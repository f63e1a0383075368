"""The real server as a process of its own: started, asked, killed and started again."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from load.servers.process import free_port, tied_to_us
from tests.support.processes import end, spawn
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0

# What the tests' own environment says about these must not reach the server under test.
_OURS = {
    "ALLOWED_ORIGINS",
    "DATABASE_URL",
    "HOST",
    "JWT_SECRET_KEY",
    "LOG_FORMAT",
    "LOG_LEVEL",
    "PORT",
    "PUBLIC_URL",
    "REDIS_URL",
    "STATE_DIRECTORY",
}
_SIGN_IN_LINK = re.compile(r"https?://\S+/signin#ticket=[\w.~-]+")


class ServerFailed(Exception):
    """The server, or a command of it, ended with an error; the message is what it said."""


class ServerProcess:
    """`promptroom serve` on a port that it keeps, whatever happens to its processes.

    Args:
        state_directory: Where it keeps its state; a second server with the same one continues the first one's work.
        database_url: Its DATABASE_URL; an SQLite file in the state directory where it is None.
        redis_url: Its REDIS_URL, if any.
        environment: More variables for it.
    """

    program = "server"
    """The module that is run; one that makes a fault and then runs the server can stand here."""

    def __init__(
        self,
        state_directory: Path,
        *,
        database_url: str | None = None,
        redis_url: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.state_directory = state_directory
        self.port = free_port()
        self.database_url = database_url or f"sqlite+aiosqlite:///{state_directory / 'promptroom.db'}"
        self._redis_url = redis_url
        self._more = dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        """Where its HTTP stands, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def websocket_url(self) -> str:
        """Where its WebSockets stand: `f"{websocket_url}/{prompt_id}"`."""
        return f"ws://127.0.0.1:{self.port}/ws"

    @property
    def log(self) -> str:
        """Everything it has said, over all its starts."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    @property
    def complaints(self) -> list[str]:
        """The lines in which it reports a defect of its own; that a database is away is none."""
        marks = ("[error ", "[critical", "Traceback")
        return [line for line in self.log.splitlines() if any(mark in line for mark in marks)]

    @property
    def pid(self) -> int:
        """The id of its process.

        Raises:
            ServerFailed: It was never started.
        """
        if self._process is None:
            message = "the server was never started"
            raise ServerFailed(message)
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def environment(self) -> dict[str, str]:
        """The variables it is started with; a command of it that works on the same state needs the same."""
        own = {
            "DATABASE_URL": self.database_url,
            "HOST": "127.0.0.1",
            "LOG_LEVEL": "debug",
            "PORT": str(self.port),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "STATE_DIRECTORY": str(self.state_directory),
        }
        if self._redis_url:
            own["REDIS_URL"] = self._redis_url
        inherited = {name: value for name, value in os.environ.items() if name not in _OURS}
        return inherited | own | self._more

    async def start(self) -> Self:
        """Start it and wait until it is ready.

        Raises:
            ServerFailed: It ended instead.
        """
        self.state_directory.mkdir(parents=True, exist_ok=True)
        self._process = spawn(
            tied_to_us([sys.executable, "-m", self.program, "serve"]),
            log=self._log,
            directory=self.state_directory,
            environment=self.environment,
        )
        await wait_until(self._ready, what=f"{self.base_url}/readyz", seconds=START_SECONDS)
        return self

    def kill(self) -> None:
        """End it as `kill -9` does, and return when its process is gone."""
        if self._process is not None:
            end(self._process, by=signal.SIGKILL)

    async def terminate(self) -> int:
        """Ask it to end as a deploy does (SIGTERM), wait until it has, and return its exit code."""
        return 0 if self._process is None else await asyncio.to_thread(end, self._process, by=signal.SIGTERM)

    async def restart(self) -> None:
        """Start it again on the same port and state, after killing it if it still runs."""
        self.kill()
        await self.start()

    async def token(self, email: str, *, role: str = "editor", ttl: str = "1h") -> str:
        """Return an access token for a user, who is created with the role if there is none."""
        return await self.command("token", "--email", email, "--role", role, "--ttl", ttl, "--create")

    async def command(self, *arguments: str) -> str:
        """Run another command of the server on the same state and return what it printed, without line end.

        Raises:
            ServerFailed: It ended with an error.
        """
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "server", *arguments],
            cwd=self.state_directory,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            message = f"promptroom {arguments[0]} failed: {done.stderr.strip()}"
            raise ServerFailed(message)
        return done.stdout.strip()

    async def sign_in_link(self) -> str:
        """Return the newest one-use link it has printed."""
        await wait_until(lambda: _SIGN_IN_LINK.search(self.log), what="a sign-in link")
        return [found[0] for found in _SIGN_IN_LINK.finditer(self.log)][-1]

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def _log(self) -> Path:
        return self.state_directory / "server.log"

    async def _ready(self) -> bool:
        if not self.running:
            message = f"the server ended at its start:\n{self.log}"
            raise ServerFailed(message)
        return await asyncio.to_thread(_answers_ok, f"{self.base_url}/readyz")


def _answers_ok(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own http URL
            json.load(answer)
    except (OSError, urllib.error.URLError, ValueError):
        return False
    return True
