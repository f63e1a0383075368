"""Our own server, as it comes: every edit is on disk before it is shown."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from load.dialects import PROMPTROOM
from load.servers.own_server import OwnServer
from load.servers.process import START_SECONDS
from load.servers.server import Address, Counts, ServerFailed

# What is set for some other server must not reach this one.
_NOT_INHERITED: Final = ("ALLOWED_ORIGINS", "JWT_SECRET_KEY", "PUBLIC_URL", "REDIS_URL")
_READY_SECONDS: Final = 5.0
_METRIC: Final = re.compile(r"^(\w+) (\S+)$", re.MULTILINE)


class Promptroom(OwnServer):
    """`promptroom serve` on an embedded database of its own."""

    takes_content = True

    def __init__(self, name: str = "promptroom-sqlite") -> None:
        super().__init__(name, PROMPTROOM)

    def database_url(self) -> str:
        """Where its edits are kept."""
        return f"sqlite+aiosqlite:///{self.directory / 'promptroom.db'}"

    def command(self) -> Sequence[str]:
        """The server that stands beside this package, installed or not."""
        return [*self._program(), "serve"]

    async def start(self) -> None:
        """Start it, and make somebody who may create prompts."""
        await super().start()
        self.token = await asyncio.to_thread(
            self.run, "token", "--email", "load@example.com", "--create", "--ttl", "6h"
        )

    async def document(self, name: str, content: str = "") -> Address:
        """Create a prompt."""
        prompt = await asyncio.to_thread(self._create, name, content)
        return Address(f"ws://127.0.0.1:{self.port}/ws/{prompt}", prompt)

    def is_ready(self) -> bool:
        """Whether it and its database are."""
        try:
            urllib.request.urlopen(f"{self._url}/readyz", timeout=_READY_SECONDS).close()  # noqa: S310 - our own server
        except OSError:
            return False
        return True

    async def has_forgotten(self) -> bool:
        """Whether no prompt is live any more."""
        return (await self.metrics())["promptroom_rooms"] == 0

    async def counts(self) -> Counts | None:
        """What its metrics say."""
        metrics = await self.metrics()
        return Counts(metrics["promptroom_flush_edits_count"], metrics.get("promptroom_bus_published_total", 0.0))

    async def metrics(self) -> dict[str, float]:
        """What stands on its page of metrics, but for what has labels."""
        text = await asyncio.to_thread(self._metrics)
        return {name: float(value) for name, value in _METRIC.findall(text)}

    def settings(self) -> Mapping[str, str]:
        """What it is told by its environment."""
        return {
            "DATABASE_URL": self.database_url(),
            "HOST": "127.0.0.1",
            "LOG_LEVEL": "warning",
            "PORT": str(self.port),
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "STATE_DIRECTORY": str(self.directory),
            **({"IDLE_UNLOAD_SECONDS": "0"} if self.forgets else {}),
        }

    def run(self, *arguments: str) -> str:
        """Run another command of the server, and return what it printed.

        Raises:
            ServerFailed: It ended with an error.
        """
        done = subprocess.run(
            [*self._program(), *arguments], cwd=self.directory, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ServerFailed(f"promptroom {arguments[0]}: {done.stderr.strip()}")
        return done.stdout.strip()

    def _metrics(self) -> str:
        with urllib.request.urlopen(f"{self._url}/metrics", timeout=_READY_SECONDS) as answer:  # noqa: S310 - our own
            return str(answer.read(), "utf-8")

    @property
    def _url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _program(self) -> list[str]:
        unset = [part for name in _NOT_INHERITED for part in ("-u", name)]
        settings = [f"{name}={value}" for name, value in self.settings().items()]
        return ["env", *unset, *settings, sys.executable, "-m", "server"]

    def _create(self, name: str, content: str) -> str:
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{self._url}/api/v1/prompts",
            data=json.dumps({"name": name, "content": content}).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=START_SECONDS) as answer:  # noqa: S310 - our own server
                prompt: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as error:
            raise ServerFailed(f"no prompt: {error.read().decode(errors='replace')}") from error
        return str(prompt["id"])
