"""One run of a scenario in which people type: warm-up, measured window, evidence, and a `kill -9` at the end.

Nothing is taken on trust. When the window is over everybody asks for the document once more, and whatever the server
had sent before its answer is then here. Every key has to be among it, and everybody has to show the text that was
typed.
"""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from load.crowd import document_of, within
from load.ending import kill_while_typing
from load.evidence import arrivals, divergences
from load.results import Measurement, Spread
from load.room import Room, Witness
from load.servers.server import Server
from load.window import Drive, Window, everything_arrived, measured

WARM_UP_SECONDS: Final = 2.5
"""Long enough for V8 to have compiled what is hot."""

_ASKED_AT_ONCE: Final = 50
_ANSWER_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Trial:
    """What is done, and for how long.

    Args:
        scenario: its name in the results.
        load: its numbers, each with its name.
        drive: what loads the server.
        seconds: how long is measured.
        last_rate: keys a second of each writer when the server is killed.
        warm_up: how long the same is done before.
    """

    scenario: str
    load: Mapping[str, float]
    drive: Drive
    seconds: float
    last_rate: float
    warm_up: float = WARM_UP_SECONDS

    async def run(self, server: Server, rooms: Sequence[Room], seed: int) -> Measurement:
        """Do it.

        Args:
            server: where the rooms are.
            rooms: everybody in them is connected and synced; afterwards nobody is.
            seed: of every random choice.
        """
        random = Random(seed)
        witnesses = [Witness(room) for room in rooms]
        await self.drive(witnesses, self.warm_up)
        problems = [] if await everything_arrived(rooms, witnesses) else ["not everything arrived while warming up"]
        window = await measured(server, rooms, witnesses, self.drive, self.seconds)
        if not window.complete:
            problems.append("not everything arrived")
        problems += await _unanswered(rooms)
        seconds, missing = _arrived(rooms, window)
        if missing:
            problems.append(f"{missing:,} keys did not arrive at somebody")
        apart = [problem async for problem in _apart(server, rooms, random)]
        ending = await kill_while_typing(server, rooms, self.last_rate, random)
        figures = {**window.figures(), "lost_shown": ending.shown}
        return Measurement(
            scenario=self.scenario,
            server=server.name,
            load=self.load,
            seed=seed,
            latency_ms=Spread.of(seconds),
            figures=figures,
            converged=not apart and not missing,
            lost_acknowledged=ending.lost,
            problems=(*problems, *apart, *ending.problems),
        )


async def _unanswered(rooms: Sequence[Room]) -> list[str]:
    """Ask everybody's question, so that everything sent before its answer has been heard."""
    people = [person for room in rooms for person in room.people]
    silent = 0
    for start in range(0, len(people), _ASKED_AT_ONCE):
        some = people[start : start + _ASKED_AT_ONCE]
        answers = await asyncio.gather(*(within(each.ask_again(), _ANSWER_SECONDS) for each in some))
        silent += answers.count(None)
    return [f"{silent} of {len(people)} editors got no answer"] if silent else []


def _arrived(rooms: Sequence[Room], window: Window) -> tuple[Sequence[float], int]:
    found = [arrivals(room, mark) for room, mark in zip(rooms, window.marks, strict=True)]
    seconds = array("d")
    for each in found:
        seconds.extend(each.seconds)
    return seconds, sum(each.missing for each in found)


async def _apart(server: Server, rooms: Sequence[Room], random: Random) -> AsyncIterator[str]:
    for room in rooms:
        for problem in divergences(room, await document_of(server, room.address, random)):
            yield problem
