"""Who seems to know more than this node does: how far the journal is, is looked up before anybody is refused.

A browser's tabs pass on to each other what they are shown, on whatever node, so that one of them can build on what was
not heard of here yet.

Rules
    1. An update that is put off is judged again after a look that began behind it: an older one says nothing of it.
    2. A room has one look at a time, and the next one a while later: whoever makes up what nobody has stored costs the
       database no question each time.
    3. What is put off is bounded in number and bytes; what goes beyond is judged at once.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from crdt.errors import CrdtError
from persistence.errors import StoreError
from server import telemetry
from server.errors import ServerError, as_server_error
from server.life import RoomState
from server.limits import HOLD_BACK_BYTES

if TYPE_CHECKING:
    from persistence.store import Store
    from server.membership import Submission
    from server.room import Room
    from server.tasks import Tasks

_log = telemetry.get_logger(__name__)

# Honest tabs need one look, and rarely a second one.
LOOK_AGAIN_SECONDS: Final = 0.05
# Updates of one room that are put off; honest tabs cause one or two.
PUT_OFF_AT_MOST: Final = 64


class _Asked:
    """What the next look is for."""

    __slots__ = ("is_wanted", "put_off", "size")

    def __init__(self) -> None:
        self.is_wanted = True
        self.put_off: list[Submission] = []
        self.size = 0

    def take(self) -> list[Submission]:
        """Answers what was put off, and waits for more."""
        put_off, self.put_off = self.put_off, []
        self.is_wanted, self.size = False, 0
        return put_off

    def add(self, submission: Submission) -> bool:
        """Puts an update off, if there is room for it."""
        if len(self.put_off) >= PUT_OFF_AT_MOST or self.size > HOLD_BACK_BYTES:
            return False
        self.put_off.append(submission)
        self.size += len(submission.update)
        return True


class LookAhead:
    """Looks how far journals are for those who seem to know more."""

    def __init__(self, store: Store, tasks: Tasks) -> None:
        self._store = store
        self._tasks = tasks
        self._asked: dict[Room, _Asked] = {}

    def __contains__(self, room: Room) -> bool:
        """Whether somebody waits for a look at the journal of a room, or for the pause behind one to end."""
        return room in self._asked

    def ask(self, room: Room, submission: Submission | None) -> bool:
        """Has a journal looked at; answers whether the submission will be handed in again when all is shown."""
        asked = self._asked.get(room)
        if asked is None:
            asked = self._asked[room] = _Asked()
            self._tasks.spawn(self._look_while_asked(room, asked), name="look_ahead")
        asked.is_wanted = True
        return submission is not None and asked.add(submission)

    async def _look_while_asked(self, room: Room, asked: _Asked) -> None:
        try:
            while asked.is_wanted and room.state is not RoomState.CLOSED:
                put_off = asked.take()
                await self._look(room)
                for submission in put_off:
                    _hand_in(room, submission)
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
        finally:
            del self._asked[room]
        for submission in asked.take():
            _hand_in(room, submission)

    async def _look(self, room: Room) -> None:
        try:
            heads = await self._store.journal.heads([room.prompt_id])
            # A room that was closed meanwhile shows nothing any more.
            if (head := heads.get(room.prompt_id)) is not None and room.state is not RoomState.CLOSED:
                await room.reach(head.seq)
        except (StoreError, ServerError) as error:
            _log.warning("head_unknown", prompt_id=str(room.prompt_id), reason=str(error))


def _hand_in(room: Room, submission: Submission) -> None:
    try:
        room.submit(submission, again=True)
    except (CrdtError, ServerError) as error:
        submission.author.refused(as_server_error(error))
