"""What is done to the server, and what is counted.

editors    many in one prompt, each typing: from a key to its arrival at every neighbour
join       many open the same large prompt at the same instant: from the request to the whole document
idle       many connections on which nothing happens: the server's memory for each
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from random import Random
from time import perf_counter
from typing import Final, TypeVar

from crdt.document import Document
from crdt.update import read_update
from load.editor import Editor
from load.report import Result, Spread
from load.target import Target

T = TypeVar("T")

SETTLE_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.02
# More at once would overflow the queue of connections that the system keeps for the server.
_OPENED_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True)
class Editors:
    """Typing together.

    Args:
        editors: how many connections.
        writers: how many of them type.
        rate: keys a second of each writer.
        seconds: for how long.
        seed: of every random choice.
    """

    editors: int = 50
    writers: int = 50
    rate: float = 5.0
    seconds: float = 10.0
    seed: int = 1

    async def run(self, target: Target) -> Result:
        """Do it."""
        random = Random(self.seed)
        url = target.create_prompt("Typing together")
        people = await _opened([(url, Editor(Random(random.random()))) for _ in range(self.editors)], target.token)
        await asyncio.gather(*(each.synced for each in people))
        before = target.usage()
        writers = people[: self.writers]
        start = perf_counter()
        await asyncio.gather(*(self._type(each, start, Random(random.random())) for each in writers))
        await _settled(lambda: all(each.everything_is_saved for each in people))
        cpu = target.usage().cpu_seconds - before.cpu_seconds
        stored = [await _within(each.ask_again(), SETTLE_SECONDS) for each in people]
        for each in people:
            each.close()
        latencies, lost = _arrivals(people, writers)
        return Result(
            scenario="editors",
            load={"editors": self.editors, "writers": self.writers, "keys a second each": self.rate},
            lost=lost,
            converged=len({*map(_text, map(Editor.everything, people)), *map(_text, zip(stored))}) == 1,
            milliseconds=Spread.of(latencies),
            figures={
                "keys": sum(len(each.typed_at) for each in people),
                "deliveries": len(latencies),
                "cpu_µs_per_delivery": cpu / max(len(latencies), 1) * 1e6,
            },
        )

    async def _type(self, editor: Editor, start: float, random: Random) -> None:
        period = 1 / self.rate
        due = start + random.random() * period
        while due < start + self.seconds:
            await asyncio.sleep(due - perf_counter())
            editor.type()
            due += period


@dataclass(frozen=True, slots=True)
class Join:
    """Opening one large prompt together, before anybody else has.

    Args:
        joiners: how many connections.
        size: UTF-16 code units of the prompt's text.
    """

    joiners: int = 100
    size: int = 1_000_000

    async def run(self, target: Target) -> Result:
        """Do it."""
        line = "A line of a very long prompt, {{variable}}.\n"
        text = (line * (self.size // len(line) + 1))[: self.size]
        url = await asyncio.to_thread(target.create_prompt, "A long prompt", text)
        random = Random(self.size)
        people = [Editor(Random(random.random())) for _ in range(self.joiners)]
        before = target.usage()
        start = perf_counter()
        await asyncio.gather(*(each.open(url, target.token) for each in people))
        waited = [await _within(each.synced, SETTLE_SECONDS) for each in people]
        after = target.usage()
        arrived = [at - start for at in waited if at is not None]
        for each in people:
            each.close()
        return Result(
            scenario="join",
            load={"joiners": self.joiners, "characters": self.size},
            lost=self.joiners - len(arrived),
            converged=all(_text(each.everything()) == text for each in people),
            milliseconds=Spread.of(arrived),
            figures={
                "cpu_seconds": after.cpu_seconds - before.cpu_seconds,
                "memory_mb": (after.memory_bytes - before.memory_bytes) / 1e6,
            },
        )


@dataclass(frozen=True, slots=True)
class Idle:
    """Connections on which nothing happens.

    Args:
        connections: how many.
        prompts: over how many prompts they are spread.
    """

    connections: int = 1_000
    prompts: int = 20

    async def run(self, target: Target) -> Result:
        """Do it."""
        random = Random(self.connections)
        urls = [target.create_prompt(f"Quiet {number}", "Nothing happens here.\n") for number in range(self.prompts)]
        # The first in every prompt pays for the room, and for what the server needs once.
        first = await _opened([(url, Editor(Random(random.random()))) for url in urls], target.token)
        await asyncio.gather(*(each.synced for each in first))
        before = target.usage()
        places = [(urls[number % self.prompts], Editor(Random(random.random()))) for number in range(self.connections)]
        people = await _opened(places, target.token)
        arrived = [await _within(each.synced, SETTLE_SECONDS) for each in people]
        after = target.usage()
        still_open = sum(each.is_open for each in people)
        for each in (*first, *people):
            each.close()
        return Result(
            scenario="idle",
            load={"connections": self.connections, "prompts": self.prompts},
            lost=len(people) - sum(at is not None for at in arrived),
            converged=still_open == len(people),
            figures={"kb_per_connection": (after.memory_bytes - before.memory_bytes) / 1000 / self.connections},
        )


async def _opened(places: Sequence[tuple[str, Editor]], token: str) -> list[Editor]:
    for start in range(0, len(places), _OPENED_AT_ONCE):
        some = places[start : start + _OPENED_AT_ONCE]
        await asyncio.gather(*(editor.open(url, token) for url, editor in some))
    return [editor for _, editor in places]


async def _settled(condition: Callable[[], bool]) -> bool:
    deadline = perf_counter() + SETTLE_SECONDS
    while not condition():
        if perf_counter() > deadline:
            return False
        await asyncio.sleep(_POLL_SECONDS)
    return True


async def _within(awaited: Awaitable[T], seconds: float) -> T | None:
    try:
        async with asyncio.timeout(seconds):
            return await awaited
    except TimeoutError:
        return None


def _arrivals(people: Sequence[Editor], writers: Sequence[Editor]) -> tuple[list[float], int]:
    """How long each key took to each neighbour, in seconds, and how many never came."""
    typed = {each.client_id: each.typed_at for each in writers}
    latencies: list[float] = []
    lost = 0
    for each in people:
        seen = dict.fromkeys(typed, 0)
        for at, update in each.updates():
            for client, start, end in read_update(update).writes:
                times = typed.get(client)
                if times is None or client == each.client_id:
                    continue
                latencies += [at - times[clock] for clock in range(max(start, seen[client]), end)]
                seen[client] = max(seen[client], end)
        lost += sum(len(times) - seen[client] for client, times in typed.items() if client != each.client_id)
    return latencies, lost


def _text(updates: Sequence[bytes | None]) -> str | None:
    if None in updates:
        return None
    document = Document()
    document.apply([update for update in updates if update is not None])
    return document.text
