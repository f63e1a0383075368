"""One run of a scenario in which people type: warm-up, measured window, evidence, and a `kill -9` at the end.

Nothing is taken on trust. When the window is over everybody asks for the document once more, and whatever the server
had sent before its answer is then here. Every key has to be among it, and everybody has to show the text that was
typed.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from load.crowd import document_of, unanswered
from load.ending import kill_while_typing
from load.evidence import arrivals, read, text_of, unlike
from load.generators import Audience
from load.journaled import journaled
from load.results import Measurement, Spread
from load.room import Room, Witness
from load.servers.server import Server
from load.window import Drive, Window, everything_arrived, measured

WARM_UP_SECONDS: Final = 2.5
"""Long enough for V8 to have compiled what is hot."""


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

    async def run(
        self, server: Server, rooms: Sequence[Room], seed: int, audience: Audience | None = None
    ) -> Measurement:
        """Do it.

        Args:
            server: where the rooms are.
            rooms: everybody in them is connected and synced; afterwards nobody is.
            seed: of every random choice.
            audience: more readers of the first room.
        """
        random = Random(seed)
        audience = audience or Audience()
        witnesses = [Witness(room) for room in rooms]
        problems = []
        await self.drive(witnesses, self.warm_up)
        if not await everything_arrived(rooms, witnesses, audience):
            problems.append("not everything arrived while warming up")
        window = await measured(server, rooms, witnesses, self.drive, self.seconds, audience)
        if not window.complete:
            problems.append("not everything arrived")
        evidence = await _evidence(server, rooms, window, audience, random)
        ending = await kill_while_typing(server, rooms, self.last_rate, random, audience)
        written = await journaled(server, rooms)
        return Measurement(
            scenario=self.scenario,
            server=server.name,
            load=self.load,
            seed=seed,
            latency_ms=Spread.of(evidence.seconds),
            figures={**window.figures(), **written.figures(), "lost_shown": ending.shown},
            converged=not evidence.problems,
            lost_acknowledged=ending.lost,
            problems=(*problems, *evidence.problems, *ending.problems, *written.problems()),
        )


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What is known when the window is over: how long keys took to everybody, and what is wrong."""

    seconds: Sequence[float]
    problems: Sequence[str]


async def _evidence(
    server: Server, rooms: Sequence[Room], window: Window, audience: Audience, random: Random
) -> _Evidence:
    testimonies = await audience.testify(rooms[0].writers, text_of(rooms[0], rooms[0].typed))
    silent = await unanswered([person for room in rooms for person in room.people])
    seconds = array("d")
    missing = different = differing = 0
    for room, mark in zip(rooms, window.marks, strict=True):
        found = arrivals(room.people, room.writers, mark, room.timed)
        seconds.extend(found.seconds)
        missing += found.missing
        expected = text_of(room, room.typed)
        different += unlike(room.people, expected)
        for address in room.address.everywhere:
            served = await document_of(server, address, random)
            differing += served is None or read([served]) != expected
    for each in testimonies:
        seconds.extend(each.seconds)
        missing += each.missing
        silent += each.unanswered
        different += each.unlike
    wrong = {
        f"{silent:,} editors got no answer": silent,
        f"{missing:,} keys did not arrive at somebody": missing,
        f"{different:,} editors show another text than was typed": different,
        f"{differing:,} documents are served with another text than was typed, or not at all": differing,
    }
    return _Evidence(seconds, [problem for problem, count in wrong.items() if count])
