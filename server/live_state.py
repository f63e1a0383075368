"""A prompt as it stands now, and who has it open, for those who ask over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from server.attendance import Participant, participants

if TYPE_CHECKING:
    from server.room import Room


@dataclass(frozen=True, slots=True)
class LiveState:
    """A prompt as it stands now."""

    text: str
    head_seq: int
    epoch: int
    participants: tuple[Participant, ...]


def live_state(room: Room) -> LiveState:
    """Answers how a live prompt stands."""
    everybody = participants(room.members, room.presence.participants_elsewhere())
    return LiveState(room.document.text, room.head_seq, room.epoch, everybody)
