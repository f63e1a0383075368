"""Edits that the server makes for somebody: a REST request now, a restore or an agent later.

They are minimal, made in a scratch document under a fresh client id that is bound to that person, and go through the
same inbox as a socket's edits, so that cursors and concurrent edits of others survive.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from random import SystemRandom
from typing import TYPE_CHECKING

from crdt.document import edit_update, new_client_id
from crdt.update import read_update
from server.errors import EditConflict, ServerError, StoreUnavailable
from server.life import RoomState
from server.membership import Submission

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from crdt.diff import TextEdit
    from persistence.edits import EditKind
    from server.access import Principal
    from server.room import Room
    from server.workers import Workers


@dataclass(frozen=True, slots=True)
class EditResult:
    """Where the prompt stands after an edit: the head of its journal, and its text."""

    seq: int
    text: str


class Request:
    """The author of one edit that is made outside a session; `stored` ends when the edit is committed and shown."""

    def __init__(self, user_id: UUID) -> None:
        self.user_id = user_id
        self.client_ids_bound = 0
        self.stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def committed(self, _submission: Submission) -> None:
        """The edit is in the journal and shown."""
        if not self.stored.done():
            self.stored.set_result(None)

    def refused(self, error: ServerError) -> None:
        """The edit may not be made."""
        if not self.stored.done():
            self.stored.set_exception(error)

    def dropped(self) -> None:
        """Nobody can say whether the edit is stored: the caller has to look."""
        message = "The database did not answer: read the prompt to see whether the edit was stored."
        self.refused(StoreUnavailable(message))

    def flush_acknowledgement(self) -> None:
        """A request is answered by its response."""

    def held_back(self) -> None:
        """A request holds nothing but its edit; that cannot be held back, for it builds on what is stored."""


async def edit_room(
    room: Room,
    workers: Workers,
    principal: Principal,
    make_edits: Callable[[str], Sequence[TextEdit]],
    *,
    base_seq: int | None,
    kind: EditKind,
    client_id: int | None = None,
) -> EditResult:
    """Makes one attributed edit in a live room.

    Arguments: `make_edits` answers the edits for the present text, in UTF-16 offsets; `base_seq` is the journal seq
    whose text they are meant for; `client_id` is the one that the edit is made under. What was written under it before
    is this edit, whose author did not hear that it was stored: it is not made again.

    Raises EditConflict when the text has moved on from `base_seq`, whatever `make_edits` raises, and StoreUnavailable.
    """
    if room.state is not RoomState.LIVE:
        raise StoreUnavailable
    if client_id is not None and client_id in room.document.state_vector():
        return EditResult(room.head_seq, room.document.text)
    if base_seq is not None and base_seq != room.head_seq:
        message = f"The prompt is at seq {room.head_seq}, the edit is meant for {base_seq}: read it again."
        raise EditConflict(message, details={"head_seq": room.head_seq})
    edits = make_edits(room.document.text)
    state = room.document.encode_state()
    update = await workers.run(len(state), edit_update, state, edits, client_id or new_client_id(SystemRandom()))
    summary = read_update(update)
    if not summary.is_empty:
        author = Request(principal.user_id)
        room.submit(Submission(update, summary, author, 1, answers_step_1=False, kind=kind))
        await author.stored
    return EditResult(room.head_seq, room.document.text)
