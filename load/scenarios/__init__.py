"""What is done to a server, and what is counted; a file for each."""

from __future__ import annotations

from typing import Protocol

from load.results import Measurement
from load.servers.server import Server


class Scenario(Protocol):
    """A load, with its numbers."""

    @property
    def name(self) -> str:
        """One word, such as `fanout`."""

    @property
    def label(self) -> str:
        """The word with its numbers, such as `fanout 50 x 48 x 20/s`."""

    async def run(self, server: Server, seed: int) -> Measurement:
        """Warm the server up, load it, and count.

        Args:
            server: one that has just been started, and that nobody else talks to.
            seed: of every random choice.
        """
