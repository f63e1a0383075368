"""Everybody's cursor moves, and some type meanwhile.

A move has arrived when it, or a later one of the same person, was shown to another: a server may leave out what is out
of date. Edits are timed apart from that: they are not to suffer.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from random import Random
from time import perf_counter
from typing import Final

from crdt.awareness import Json
from crdt.codec import read_var_bytes, read_var_uint
from load.crowd import opened
from load.editor import Editor
from load.pacing import Deed, play, regularly
from load.results import Measurement, Spread
from load.room import Room, Witness
from load.servers.server import Server
from load.trial import WARM_UP_SECONDS, Trial

# Whose screens are looked at: all of them would cost the generator more than all the rest.
_LOOKED_AT: Final = 5
_LINE: Final = 80


@dataclass(frozen=True, slots=True)
class Presence:
    """Cursors at the rate of a mouse.

    Args:
        people: how many connections.
        moves: moves a second of each.
        writers: how many of them type.
        rate: keys a second of each writer.
        seconds: for how long.
        warm_up: for how long before that.
    """

    people: int = 100
    moves: float = 25.0
    writers: int = 10
    rate: float = 5.0
    seconds: float = 8.0
    warm_up: float = WARM_UP_SECONDS
    name: str = "presence"

    @property
    def label(self) -> str:
        """The word with its numbers."""
        return f"presence {self.people} x {self.moves:g} Hz, {self.writers} x {self.rate:g}/s"

    async def run(self, server: Server, seed: int) -> Measurement:
        """Do it."""
        random = Random(seed)
        address = await server.document("Presence")
        people = await opened(server, [address] * self.people, random)
        for each in people[-_LOOKED_AT:]:
            each.keeps_presence = True
        room = Room(address, people, people[: self.writers])
        cursors = [_Cursor(each, number, random) for number, each in enumerate(people)]
        begun: dict[int, int] = {}

        async def drive(_: Sequence[Witness], seconds: float) -> None:
            begun.update({each.client_id: len(each.moved_at) for each in people})
            moves = regularly([each.move for each in cursors], self.moves, start := perf_counter(), seconds, random)
            keys = regularly([each.type for each in room.writers], self.rate, start, seconds, random)
            await play(heapq.merge(moves, keys, key=_due))

        load = {
            "people": self.people,
            "moves_per_second_each": self.moves,
            "writers": self.writers,
            "keys_per_second_each": self.rate,
        }
        trial = Trial(self.name, load, drive, self.seconds, self.rate, self.warm_up)
        return self._with_moves(await trial.run(server, [room], seed), people, begun)

    def _with_moves(self, of_edits: Measurement, people: Sequence[Editor], begun: dict[int, int]) -> Measurement:
        seconds, missing = _shown(people, begun)
        moves = sum(len(each.moved_at) - begun[each.client_id] for each in people)
        edits = asdict(of_edits.latency_ms) if of_edits.latency_ms else {}
        deliveries = moves * (len(people) - 1) + of_edits.figures["deliveries"]
        share = of_edits.figures["deliveries"] / deliveries
        figures = {
            **of_edits.figures,
            **{name: value * share for name, value in of_edits.figures.items() if name.endswith("_per_delivery")},
            "deliveries": deliveries,
            "deliveries_per_second": of_edits.figures["deliveries_per_second"] / share,
            "moves": moves,
            "moves_never_shown": missing,
            **{f"edit_{name}_ms": value for name, value in edits.items()},
        }
        problems = of_edits.problems if seconds else (*of_edits.problems, "no move of a cursor was shown to anybody")
        return replace(of_edits, latency_ms=Spread.of(seconds), figures=figures, problems=problems)


class _Cursor:
    """What one person's editor says of itself."""

    def __init__(self, editor: Editor, number: int, random: Random) -> None:
        self._editor = editor
        self._number = number
        self._random = random

    def move(self, due: float) -> None:
        """Be somewhere else."""
        line, column = self._random.randrange(1, _LINE), self._random.randrange(1, _LINE)
        place: Json = {"type": None, "tname": "content", "item": None, "assoc": 0, "line": line, "column": column}
        name: Json = {"name": f"Person {self._number}", "color": "#30bced"}
        self._editor.move({"user": name, "cursor": {"anchor": place, "head": place}}, due)


def _shown(people: Sequence[Editor], begun: dict[int, int]) -> tuple[Sequence[float], int]:
    """How long each move took to each of those who are looked at, and how many never came."""
    moved = {each.client_id: each.moved_at for each in people}
    seconds = array("d")
    missing = 0
    for person in people[-_LOOKED_AT:]:
        seen = {client: count for client, count in begun.items() if client != person.client_id}
        for now, frame in zip(person.presence_times, person.presence, strict=True):
            for client, clock in _entries(frame, person.presence_offset(frame)):
                if clock > seen.get(client, clock):
                    seconds.extend([now - due for due in moved[client][seen[client] : clock]])
                    seen[client] = clock
        missing += sum(len(moved[client]) - count for client, count in seen.items())
    return seconds, missing


def _entries(frame: bytes, offset: int) -> Iterator[tuple[int, int]]:
    """Clients and their clocks; what their states hold is of no interest here."""
    count, offset = read_var_uint(frame, offset)
    for _ in range(count):
        client, offset = read_var_uint(frame, offset)
        clock, offset = read_var_uint(frame, offset)
        _, offset = read_var_bytes(frame, offset)
        yield client, clock


def _due(one: tuple[float, Deed]) -> float:
    return one[0]
