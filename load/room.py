"""One document and who is in it, as the load generator knows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from load.editor import Editor
from load.keystrokes import find_written
from load.servers.server import Address


@dataclass(frozen=True, slots=True)
class Room:
    """Editors of one document.

    Args:
        address: of the document.
        people: everybody.
        writers: those of them who type.
        begun: what the document held before they typed, as an update.
        timed: those of them whose arrivals are timed; everybody's, where none are named.
    """

    address: Address
    people: Sequence[Editor]
    writers: Sequence[Editor]
    begun: bytes = b""
    timed: Sequence[Editor] = ()

    @property
    def typed(self) -> dict[int, int]:
        """How many characters each writer has typed, by client."""
        return {writer.client_id: len(writer.text) for writer in self.writers}


@dataclass(slots=True)
class Witness:
    """Somebody who knows at once what it has been shown: the one in a room who tells when all has arrived.

    Args:
        room: the room; the witness is the last in it, a reader where there is one.
    """

    room: Room
    seen: dict[int, int] = field(default_factory=dict)
    """By client, how many of its characters were shown."""

    def __post_init__(self) -> None:
        self.seen = dict.fromkeys(self.room.typed, 0)
        self.room.people[-1].watch = self.watch

    @property
    def has_seen_all(self) -> bool:
        """Whether it was shown every character that somebody else has typed."""
        own = self.room.people[-1].client_id
        return all(self.seen[client] >= count for client, count in self.room.typed.items() if client != own)

    def watch(self, frame: bytes, offset: int, _: float) -> None:
        """Look at a frame."""
        for client, start, end in find_written(frame, offset):
            if start <= self.seen.get(client, -1) < end:
                self.seen[client] = end


@dataclass(frozen=True, slots=True)
class Mark:
    """How far everything was at some moment, so that what comes later can be told from it.

    Args:
        frames: how many frames each person had heard.
        typed: how much each writer had typed, by client.
        received_bytes: what all had received.
    """

    frames: Sequence[int]
    typed: dict[int, int]
    received_bytes: int

    @classmethod
    def of(cls, room: Room) -> Mark:
        """Now, in a room."""
        return cls.of_people(room.people, room.typed)

    @classmethod
    def of_people(cls, people: Sequence[Editor], typed: dict[int, int]) -> Mark:
        """Now, of some people who are in a room where so much was typed."""
        return cls([len(each.frames) for each in people], typed, sum(each.received_bytes for each in people))
