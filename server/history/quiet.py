"""Versions that nobody asks for: made when a room has fallen quiet after somebody changed the text.

They are in the name of whoever wrote last. Every node on which the room is live comes to the same text at the same seq,
and the second to make a version of it finds the first one's; so nobody has to be chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from crdt.errors import EngineFailure
from persistence import errors as store_errors
from persistence.versions import VersionKind
from server.history.making import Draft, make_version
from server.history.shown import version_created
from server.life import Doubt, RoomState
from server.telemetry import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from persistence.store import Store
    from persistence.versions import Version
    from server.life import Timing
    from server.room import Room
    from server.tasks import Tasks

_log = get_logger(__name__)

MESSAGE: Final = "Automatic version"
# A prompt's first journal entry is what it was created with: until there are others nobody has changed anything.
_CREATED: Final = 1


@dataclass(slots=True)
class _Watch:
    """Where a room was when it was last seen to move; `is_done` once what there is to do was begun."""

    head_seq: int
    since: float
    is_done: bool = False


class QuietVersions:
    """Watches rooms, and makes versions of those that fall quiet.

    Arguments: `publish` sends a room event; `timing` says how long without an edit is quiet, 0 switches all of it off.
    """

    def __init__(
        self,
        store: Store,
        tasks: Tasks,
        publish: Callable[[UUID, dict[str, object]], None],
        timing: Timing,
    ) -> None:
        self._store = store
        self._tasks = tasks
        self._publish = publish
        self._wall_clock = timing.wall_clock
        self._seconds = timing.quiet_seconds
        self._watches: dict[UUID, _Watch] = {}

    def look(self, room: Room, now: float) -> None:
        """Looks whether a room has fallen quiet; called every second or so."""
        if not self._seconds:
            return
        watch = self._watches.get(room.prompt_id)
        if watch is None or watch.head_seq != room.head_seq:
            self._watches[room.prompt_id] = _Watch(room.head_seq, now)
        elif not watch.is_done and now - watch.since >= self._seconds and room.state is RoomState.LIVE:
            watch.is_done = True
            self._tasks.spawn(self._make(room, watch), name="automatic_version")

    async def before_unload(self, room: Room) -> None:
        """Makes a version of a room that is about to go, because everybody has gone, unless they are elsewhere."""
        watch = self._watches.get(room.prompt_id) or _Watch(room.head_seq, 0.0)
        is_done = watch.is_done and watch.head_seq == room.head_seq
        if self._seconds and not is_done and not room.presence.participants_elsewhere():
            await self._make(room, watch)

    def forget(self, prompt_id: UUID) -> None:
        """Forgets a room that is gone."""
        self._watches.pop(prompt_id, None)

    async def _make(self, room: Room, watch: _Watch) -> None:
        try:
            text, seq = room.document.text, room.head_seq
        except EngineFailure:
            room.doubt(Doubt.ENGINE)
            return
        try:
            made = await self._make_of(room.prompt_id, text, seq)
        except store_errors.NotFound:
            # It was deleted.
            return
        except store_errors.StoreError as error:
            _log.warning("automatic_version_failed", prompt_id=str(room.prompt_id), reason=str(error))
            # After another while of quiet.
            watch.since, watch.is_done = watch.since + self._seconds, False
            return
        if made is not None:
            self._publish(room.prompt_id, version_created(made))

    async def _make_of(self, prompt_id: UUID, text: str, seq: int) -> Version | None:
        while True:
            try:
                return await self._make_after_latest(prompt_id, text, seq)
            except store_errors.HeadMoved:
                # Somebody has just made a version; it may be of less than this.
                continue

    async def _make_after_latest(self, prompt_id: UUID, text: str, seq: int) -> Version | None:
        head = await self._store.versions.latest(prompt_id)
        if seq <= (head.seq if head is not None else _CREATED):
            return None
        prompt = await self._store.prompts.get(prompt_id)
        last = await self._store.journal.writers(prompt_id, after=seq - 1, until=seq)
        if not last:
            return None
        draft = Draft(text, seq, last[0], VersionKind.AUTOMATIC, MESSAGE, self._wall_clock())
        version, is_new = await make_version(self._store, prompt, head, draft)
        return version if is_new else None
