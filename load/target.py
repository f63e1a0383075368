"""The server under load: one that runs already, or one started for the run on a core of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 20.0
_RSS: Final = re.compile(r"^VmRSS:\s+(\d+) kB", re.MULTILINE)
# What is set for some other server must not reach this one.
_NOT_INHERITED: Final = ("ALLOWED_ORIGINS", "DATABASE_URL", "PUBLIC_URL", "REDIS_URL", "STATE_DIRECTORY")


class TargetFailed(Exception):
    """The server could not be started or did not do as it was asked; the message is what it said."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used: resident memory in bytes, processor time in seconds."""

    memory_bytes: int
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Target:
    """Where the load goes.

    Args:
        url: the server's HTTP address, without a slash at the end.
        token: an access token of somebody who may create prompts.
        pid: its process on this machine.
    """

    url: str
    token: str
    pid: int

    def create_prompt(self, name: str, content: str = "") -> str:
        """Create a prompt; returns where its WebSocket stands.

        Raises:
            TargetFailed: The server did not.
        """
        body = json.dumps({"name": name, "content": content}).encode()
        request = urllib.request.Request(  # noqa: S310 - the address of the server under load
            f"{self.url}/api/v1/prompts",
            data=body,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=START_SECONDS) as answer:  # noqa: S310 - as above
                prompt: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as error:
            raise TargetFailed(f"no prompt: {error.read().decode(errors='replace')}") from error
        return f"ws{self.url.removeprefix('http')}/ws/{prompt['id']}"

    def usage(self) -> Usage:
        """Answer what the server has used so far (Linux)."""
        process = Path("/proc") / str(self.pid)
        memory = _RSS.search((process / "status").read_text())
        # The name of the program, in brackets, may hold spaces.
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])
        return Usage(int(memory[1]) * 1024 if memory else 0, ticks / os.sysconf("SC_CLK_TCK"))


@contextmanager
def own_server() -> Iterator[Target]:
    """A server on a fresh embedded database, for as long as the context lasts.

    Raises:
        TargetFailed: It did not start.
    """
    with tempfile.TemporaryDirectory(prefix="promptroom-load-") as name:
        directory = Path(name)
        port = _free_port()
        command = [*_without_settings(), sys.executable, "-m", "server"]
        with (directory / "server.log").open("wb") as log:
            process = subprocess.Popen(
                [*command, "serve", "--port", str(port)], cwd=directory, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            _wait_until_ready(process, f"http://127.0.0.1:{port}/readyz", directory / "server.log")
            yield Target(f"http://127.0.0.1:{port}", _token([*command, "token"], directory), process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def on_separate_cores(pid: int) -> bool:
    """Give the server one core and this process the others; answers whether there are enough of them (Linux)."""
    if not hasattr(os, "sched_setaffinity"):
        return False
    first, *others = sorted(os.sched_getaffinity(0))
    if not others:
        return False
    for thread in (Path("/proc") / str(pid) / "task").iterdir():
        os.sched_setaffinity(int(thread.name), {first})
    os.sched_setaffinity(0, others)
    return True


def _without_settings() -> list[str]:
    unset = [part for name in _NOT_INHERITED for part in ("-u", name)]
    # The server that stands beside this package, installed or not.
    return ["env", *unset, f"PYTHONPATH={Path(__file__).parents[1]}"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - our own http URL
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TargetFailed(f"the server did not start:\n{log.read_text(errors='replace')}")


def _token(command: list[str], directory: Path) -> str:
    asked = [*command, "--email", "load@example.com", "--role", "editor", "--create"]
    done = subprocess.run(asked, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TargetFailed(f"no token: {done.stderr.strip()}")
    return done.stdout.strip()
