"""Connections on which nobody does anything: what each takes of memory, and all of them of a core."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from random import Random
from time import perf_counter
from typing import Final

from load.crowd import opened
from load.results import Measurement
from load.servers.server import Server

# After the last has come: what it caused is over by then.
_CALM_DOWN_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Idle:
    """Connections, spread over documents.

    Args:
        connections: how many.
        documents: over how many documents they are spread.
        seconds: for how long nothing happens.
    """

    connections: int = 10_000
    documents: int = 200
    seconds: float = 20.0
    name: str = "idle"

    @property
    def label(self) -> str:
        """The word with its numbers."""
        return f"idle {self.connections:,} in {self.documents}"

    async def run(self, server: Server, seed: int) -> Measurement:
        """Do it."""
        random = Random(seed)
        addresses = [await server.document(f"Quiet {number}") for number in range(self.documents)]
        # The first in every document pays for the document, and for what the server needs once.
        first = await opened(server, addresses, random)
        before = server.usage()
        start = perf_counter()
        others = [addresses[number % self.documents] for number in range(self.connections - self.documents)]
        people = await opened(server, others, random)
        opening_seconds = perf_counter() - start
        await asyncio.sleep(_CALM_DOWN_SECONDS)
        calm = server.usage()
        await asyncio.sleep(self.seconds)
        after = server.usage()
        gone = sum(not each.is_open for each in (*first, *people))
        for each in (*first, *people):
            each.close()
        return Measurement(
            scenario=self.name,
            server=server.name,
            load={"connections": self.connections, "documents": self.documents, "seconds": self.seconds},
            seed=seed,
            figures={
                "memory_kb_per_connection": (after.memory_bytes - before.memory_bytes) / 1000 / len(people),
                "memory_mb": after.memory_bytes / 1e6,
                "cpu_share": (after.cpu_seconds - calm.cpu_seconds) / self.seconds,
                "opened_per_second": len(people) / opening_seconds,
            },
            problems=(f"{gone} of {self.connections} connections broke",) if gone else (),
        )
