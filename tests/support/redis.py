"""A real Redis (Valkey, which speaks the same commands) from a Python wheel, for as long as a test session."""

import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from load.servers.process import accepts, free_port, tied_to_us
from load.servers.redis import redis_program
from tests.support.processes import end, spawn
from tests.support.waiting import wait_until_sync


class RedisFailed(Exception):
    """The server ended by itself or refused a command; the message is what it said."""


class RedisServer:
    """One server that keeps nothing on disk and its port across restarts.

    Args:
        options: Further options of its command line.
    """

    def __init__(self, *options: str) -> None:
        self.port = free_port()
        self._options = options
        self._directory = tempfile.TemporaryDirectory(prefix="promptroom-redis-")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The REDIS_URL."""
        return f"redis://127.0.0.1:{self.port}/0"

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
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no"]
        options += self._options
        self._process = spawn(
            tied_to_us([redis_program(), *options]), log=self._log, directory=Path(self._directory.name)
        )
        wait_until_sync(self._answers, what=f"Redis on port {self.port}")

    def kill(self) -> None:
        """Stop the server at once, as a crash would; what it held is gone."""
        if self._process is not None:
            end(self._process, by=signal.SIGKILL)

    def pause(self) -> None:
        """Stop the server from answering, with its connections left open, until `resume`."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def flush(self) -> None:
        """Delete every key."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(b"FLUSHALL\r\n")
            answer = connection.recv(100)
        if not answer.startswith(b"+OK"):
            raise RedisFailed(answer.decode(errors="replace"))

    def close(self) -> None:
        """Stop the server and remove its directory."""
        self.kill()
        self._directory.cleanup()

    @property
    def _log(self) -> Path:
        return Path(self._directory.name) / "log"

    def _answers(self) -> bool:
        if not self.running:
            message = f"Redis ended at its start:\n{self.log}"
            raise RedisFailed(message)
        return accepts(self.port)
