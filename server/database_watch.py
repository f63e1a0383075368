"""Whether the database answers, looked at now and then: for the log and the metrics of whoever runs the server.

Rooms find out for themselves, and only when somebody types. A server in which nobody has a prompt open would
otherwise say nothing at all of a database that is away.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from persistence.errors import StoreError
from server import telemetry
from server.limits import READINESS_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from persistence.store import Store

_log = telemetry.get_logger(__name__)

WATCH_SECONDS: Final = 5.0


class DatabaseWatch:
    """Says when the database went away, and when it was back.

    Arguments: `clock` answers seconds that only go forward.
    """

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._away_since: float | None = None
        telemetry.DATABASE_UP.set(1)

    async def step(self) -> None:
        """Waits, and looks."""
        await asyncio.sleep(WATCH_SECONDS)
        await self.look()

    async def look(self) -> None:
        """Asks the database for an answer; one line of the log for each change."""
        try:
            async with asyncio.timeout(READINESS_SECONDS):
                await self._store.ping()
        except StoreError as error:
            self._is_down(str(error))
        except TimeoutError:
            self._is_down(f"no answer within {READINESS_SECONDS:g} s")
        else:
            self._is_up()

    def _is_down(self, reason: str) -> None:
        if self._away_since is None:
            self._away_since = self._clock()
            telemetry.DATABASE_UP.set(0)
            _log.warning("database_down", database=self._store.database.address.shown, reason=reason)

    def _is_up(self) -> None:
        if self._away_since is not None:
            away = self._clock() - self._away_since
            self._away_since = None
            telemetry.DATABASE_UP.set(1)
            _log.info("database_up", database=self._store.database.address.shown, after_seconds=round(away, 1))
