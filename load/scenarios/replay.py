"""A recorded session of two authors, character by character; the text has to be the recorded one."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from time import perf_counter
from typing import Final

from crdt.document import Document
from load.crowd import document_of, settled
from load.pacing import play
from load.recording.performance import Performance, Score
from load.recording.session import recorded
from load.results import Measurement, Spread
from load.servers.server import Address, Server

_WARM_UP_SECONDS: Final = 2.5
_CLOSE_SECONDS: Final = 10.0
# The part of the second performance in which the server is killed.
_KILLED_BETWEEN: Final = (0.2, 0.8)
_PERFORMANCE_TO_BE_KILLED_SECONDS: Final = 4.0


@dataclass(frozen=True, slots=True)
class Replay:
    """The session.

    Args:
        seconds: how long it takes; the recorded one took 14 minutes.
    """

    seconds: float = 15.0
    name: str = "replay"

    @property
    def label(self) -> str:
        """The word with its numbers."""
        return f"replay {len(recorded().keys):,} edits in {self.seconds:g} s"

    async def run(self, server: Server, seed: int) -> Measurement:
        """Do it."""
        random = Random(seed)
        address = await server.document("A session")
        warm_up = await _performed(server, await server.document("Warm-up"), _WARM_UP_SECONDS)
        before, start = server.usage(), perf_counter()
        performance = await _performed(server, address, self.seconds)
        seconds, after = perf_counter() - start, server.usage()
        problems = [*_problems(warm_up), *_problems(performance)]
        served = await document_of(server, address, random)
        if served is None or Document(served).text != recorded().text:
            problems.append("a newcomer is shown another text than the recorded one")
        lost = await _lost_in_the_middle(server, random)
        keys = sum(author.pressed for author in performance.authors)
        cpu = after.cpu_seconds - before.cpu_seconds
        latencies = array("d")
        for author in performance.authors:
            latencies.extend(author.seconds)
        return Measurement(
            scenario=self.name,
            server=server.name,
            load={"authors": 2, "edits": keys, "seconds": self.seconds},
            seed=seed,
            latency_ms=Spread.of(latencies),
            figures={
                "updates_per_second": keys / seconds,
                "cpu_us_per_delivery": cpu / max(keys, 1) * 1e6,
                "cpu_share": cpu / seconds,
                "memory_mb": after.memory_bytes / 1e6,
                "wire_bytes_per_delivery": sum(each.replica.received_bytes for each in performance.authors)
                / max(keys, 1),
                "waited_for_the_other": sum(author.waited for author in performance.authors),
            },
            converged=not problems,
            lost_acknowledged=lost,
            problems=tuple(problems),
        )


@cache
def _score() -> Score:
    return Score(recorded())


async def _performed(server: Server, address: Address, seconds: float) -> Performance:
    performance = Performance(_score(), server.dialect)
    await performance.open(address, server.token)
    await play(performance.schedule(seconds))
    await settled(lambda: performance.is_over)
    performance.close()
    return performance


async def _lost_in_the_middle(server: Server, random: Random) -> int:
    """Perform it once more, kill the server under it, and count what it no longer has of what it had promised."""
    address = await server.document("A session that is interrupted")
    performance = Performance(_score(), server.dialect)
    await performance.open(address, server.token)
    playing = asyncio.create_task(play(performance.schedule(_PERFORMANCE_TO_BE_KILLED_SECONDS)))
    await asyncio.sleep(random.uniform(*_KILLED_BETWEEN) * _PERFORMANCE_TO_BE_KILLED_SECONDS)
    server.kill()
    replicas = [author.replica for author in performance.authors]
    await settled(lambda: not any(replica.is_open for replica in replicas), _CLOSE_SECONDS)
    playing.cancel()
    await server.restart()
    kept = await document_of(server, address, random)
    return performance.lost(kept or b"\x00\x00", acknowledged=server.dialect.acknowledges)


def _problems(performance: Performance) -> Sequence[str]:
    problems = []
    missing = sum(
        len(other.part) - author.shown
        for author, other in zip(performance.authors, reversed(performance.authors), strict=True)
    )
    if missing:
        problems.append(f"{missing:,} keys did not arrive at the other author")
    if any(author.replica.document.text != recorded().text for author in performance.authors):
        problems.append("an author ended with another text than the recorded one")
    return problems
