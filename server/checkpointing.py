"""When rooms are checkpointed: often enough that nobody waits for a replay, and by one node for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crdt.errors import EngineFailure
from server.compactor import CHECKPOINT_EDITS_AT_UNLOAD, checkpoint_is_due
from server.life import Doubt

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from server.compactor import Compactor
    from server.history.past import Past
    from server.room import Room
    from server.tasks import Tasks


class Checkpointing:
    """Has the compactor work on rooms when it is time, and keyframes made behind it.

    Arguments: `past` makes the keyframes; `clock` answers seconds that only go forward.
    """

    def __init__(self, compactor: Compactor, past: Past, tasks: Tasks, clock: Callable[[], float]) -> None:
        self._compactor = compactor
        self._past = past
        self._tasks = tasks
        self._clock = clock
        self._running: set[UUID] = set()

    def after_commit(self, room: Room) -> None:
        """Begins a checkpoint of a room, if one is due and none is being made."""
        edits, seconds = room.head_seq - room.checkpoint_seq, self._clock() - room.checkpointed_at
        if checkpoint_is_due(edits, seconds) and room.prompt_id not in self._running:
            self._running.add(room.prompt_id)
            self._tasks.spawn(self._checkpoint(room), name="checkpoint")

    async def before_unload(self, room: Room) -> None:
        """Makes a checkpoint of a room that is about to go, if its journal's tail is worth one."""
        if room.head_seq - room.checkpoint_seq >= CHECKPOINT_EDITS_AT_UNLOAD:
            await self._checkpoint(room)

    async def _checkpoint(self, room: Room) -> None:
        try:
            seq, state = room.head_seq, room.document.encode_state()
            made_at = await self._compactor.checkpoint(
                room.prompt_id, seq=seq, state=state, known_seq=room.checkpoint_seq
            )
            if made_at is not None:
                room.checkpoint_seq, room.checkpointed_at = made_at, self._clock()
                self._tasks.spawn(self._past.keep_up(room.prompt_id, made_at), name="keyframes")
            else:
                room.doubt(Doubt.CHECKPOINT)
        except EngineFailure:
            room.doubt(Doubt.ENGINE)
        finally:
            self._running.discard(room.prompt_id)
