"""Brings rooms back that have lost their memory: asks the store until it answers, ever less often.

A room that is in doubt again soon after it was read anew waits, too, longer each time: whoever says everything twice,
to two nodes at once, would otherwise have all nodes read the prompt all the time.
"""

from __future__ import annotations

import asyncio
from random import SystemRandom
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from crdt.errors import CrdtError
from persistence.errors import NotFound, StoreError
from server import telemetry
from server.errors import PromptNotFound, ServerError, StoreUnavailable
from server.life import RoomState
from server.rebuild import load_prompt

if TYPE_CHECKING:
    from collections.abc import Callable

    from persistence.store import Store
    from server.room import Room
    from server.workers import Workers

_log = telemetry.get_logger(__name__)

# A store that is away is asked again after the first delay, then ever later up to the last, each with jitter.
FIRST_RETRY_SECONDS: Final = 0.05
LAST_RETRY_SECONDS: Final = 1.0
# A room that held for so long has nothing to do with its last doubt.
STEADY_SECONDS: Final = 5.0
# Whoever comes to a room in doubt waits this long for it.
PATIENCE_SECONDS: Final = 2.0


class Rebuilding:
    """Rebuilds rooms from the store.

    Arguments: `is_current` tells whether this process may act on what it knows; `on_gone` is called with a room whose
    prompt is not there any more.
    """

    def __init__(
        self,
        store: Store,
        workers: Workers,
        *,
        is_current: Callable[[], bool],
        on_gone: Callable[[Room, ServerError], None],
    ) -> None:
        self._store = store
        self._workers = workers
        self._is_current = is_current
        self._on_gone = on_gone
        self._jitter = SystemRandom()
        # How often in a row a room was in doubt again before it was steady, and when it was last.
        self._doubts: WeakKeyDictionary[Room, tuple[int, float]] = WeakKeyDictionary()

    async def until_live(self, room: Room) -> None:
        """Tries until the store answers; a room whose commits keep failing, or that doubts again, ever less often."""
        attempts = max(room.appender.failed_commits - 1, self._count_doubt(room))
        # A store that is away for an hour is asked some thousands of times; each reason is worth one line.
        said: set[str] = set()
        while room.state is RoomState.LOADING:
            await self._pause(attempts)
            attempts += 1
            if self._is_current():
                await self._try(room, said)
            else:
                # What happened while this process was away is looked at first; that may end the room's sessions.
                attempts = max(attempts, 1)

    async def wait_for(self, room: Room) -> None:
        """Returns when a room in doubt is live again. Raises StoreUnavailable where that may take long."""
        if room.awaits_store:
            raise StoreUnavailable
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await room.settled.wait()
        except TimeoutError as error:
            raise StoreUnavailable from error

    async def _try(self, room: Room, said: set[str]) -> None:
        try:
            # What was sent and not answered is decided when this returns, one way or the other.
            await self._store.journal.probe(room.prompt_id)
            room.resume(await load_prompt(self._store, self._workers, room.prompt_id, at_once=True))
        except (PromptNotFound, NotFound):
            self._on_gone(room, PromptNotFound())
        except (StoreError, ServerError, CrdtError) as error:
            reason = str(error)
            if reason not in said:
                said.add(reason)
                _log.warning("rebuild_postponed", prompt_id=str(room.prompt_id), reason=reason)

    def _count_doubt(self, room: Room) -> int:
        now = asyncio.get_running_loop().time()
        times, last = self._doubts.get(room, (0, float("-inf")))
        again = times + 1 if now - last < STEADY_SECONDS else 0
        self._doubts[room] = again, now
        return again

    async def _pause(self, attempts: int) -> None:
        if attempts > 0:
            seconds = min(FIRST_RETRY_SECONDS * 2 ** (attempts - 1), LAST_RETRY_SECONDS)
            await asyncio.sleep(seconds * self._jitter.uniform(0.5, 1.0))
