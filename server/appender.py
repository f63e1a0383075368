"""The one writer of a prompt's journal in this process: one batch at a time, and what comes meanwhile is the next.

A batch is on its way from the flush until the room has shown it, or has dropped it in doubt. While the room reads what
other nodes have committed nothing is flushed, so that what it reads is never its own.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from persistence.edits import Edit
from persistence.errors import Conflict, NotFound
from server import telemetry
from server.inbox import Batch, Inbox
from server.life import Doubt
from server.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from uuid import UUID

    from persistence.store import Store
    from server.membership import Submission

_log = telemetry.get_logger(__name__)


class Appender:
    """Hands what was admitted to the journal.

    Arguments: `take_bindings` answers the client ids bound since it was last asked; `readers` how many a flush is
    written to; `is_current` whether this process may act on what it knows. `on_committed` is called with a batch and
    its last seq, and calls `settle` when the batch is shown; `on_doubt` when nobody can say what became of it.
    """

    def __init__(
        self,
        prompt_id: UUID,
        store: Store,
        *,
        clock: Callable[[], float],
        take_bindings: Callable[[], Mapping[int, UUID]],
        readers: Callable[[], int],
        is_current: Callable[[], bool],
        on_committed: Callable[[Batch, int], None],
        on_doubt: Callable[[Doubt], None],
    ) -> None:
        self.failed_commits = 0
        self._prompt_id = prompt_id
        self._store = store
        self._clock = clock
        self._take_bindings = take_bindings
        self._readers = readers
        self._is_current = is_current
        self._on_committed = on_committed
        self._on_doubt = on_doubt
        self._loop = asyncio.get_running_loop()
        self._inbox = Inbox()
        self._pace = Pace(self._loop, self._flush)
        self._in_flight: Batch | None = None
        self._awaits_answer = False
        self._held = False
        self._settled: asyncio.Future[None] | None = None

    @property
    def size(self) -> int:
        """Bytes of all that is not shown yet."""
        return self._inbox.size + (self._in_flight.size if self._in_flight is not None else 0)

    @property
    def awaits_answer(self) -> bool:
        """Whether a batch is on its way of which nobody knows yet whether it is committed."""
        return self._awaits_answer

    def add(self, submissions: Iterable[Submission], *, repeated: Submission | None = None) -> None:
        """Takes what was admitted; `repeated` is known already, and only waits for what was admitted before it."""
        if repeated is not None:
            self._inbox.add_repeated(repeated)
        self._inbox.add(submissions)
        if self._inbox.is_full:
            self._on_doubt(Doubt.STORE)
        elif self._in_flight is None and self._inbox:
            self._pace.ask(self._inbox.messages, self._readers())

    def settle(self) -> None:
        """The batch that was committed is shown and acknowledged: the next one may go."""
        self._in_flight = None
        self.failed_commits = 0
        if self._inbox:
            self._pace.ask(self._inbox.messages, self._readers())
        else:
            self._tell_settled()

    def hold(self) -> None:
        """Flushes nothing until `release`, whatever the room drops meanwhile: the reading goes on."""
        self._held = True

    def release(self) -> None:
        """Flushes again."""
        self._held = False
        if self._in_flight is None and self._inbox:
            self._pace.ask(self._inbox.messages, self._readers())

    def drop(self) -> None:
        """Forgets everything, and says so to its authors; a batch on its way may be committed or not."""
        dropped = [*(self._in_flight or ()), *self._inbox.take()]
        self._in_flight = None
        self._awaits_answer = False
        for each in dropped:
            each.author.dropped()
        self._tell_settled()

    async def drain(self) -> None:
        """Returns when all that was admitted is shown and acknowledged, or dropped."""
        if self._in_flight is not None or self._inbox:
            self._settled = self._loop.create_future()
            self._pace.hurry()
            await self._settled

    def close(self) -> None:
        """Flushes nothing any more."""
        self._pace.close()

    def _flush(self) -> None:
        """Takes everything that waits, and hands it to the journal in one piece."""
        if self._in_flight is not None or self._held or not self._inbox:
            return
        if not self._is_current():
            self._on_doubt(Doubt.PAUSED)
            return
        batch = self._inbox.take(self._take_bindings())
        if batch.updates:
            self._append(batch)
        else:
            acknowledge(batch)
            self._tell_settled()

    def _append(self, batch: Batch) -> None:
        edits = [Edit(each.update, each.author.user_id, each.kind) for each in batch.updates]
        appended = self._store.journal.append(self._prompt_id, edits, batch.bindings)
        self._in_flight, self._awaits_answer = batch, True
        flushed_at = self._clock()
        appended.add_done_callback(lambda future: self._appended(batch, future, flushed_at))

    def _appended(self, batch: Batch, appended: asyncio.Future[int], flushed_at: float) -> None:
        failure = None if appended.cancelled() else appended.exception()
        if batch is not self._in_flight:
            return  # the room was rebuilt meanwhile; the journal has told it already what became of this batch
        self._awaits_answer = False
        if isinstance(failure, NotFound):
            self._on_doubt(Doubt.JOURNAL_MOVED)  # deleted; who rebuilds the room finds that out and ends it
        elif isinstance(failure, Conflict):
            # Another node has bound a client id of the batch to somebody else. Read anew, the room knows of it too.
            self.failed_commits += 1
            self._on_doubt(Doubt.JOURNAL_MOVED)
        elif appended.cancelled() or failure is not None:
            telemetry.STORE_FAILURES.inc()
            self.failed_commits += 1
            _log.warning("commit_failed", prompt_id=str(self._prompt_id), reason=str(failure))
            self._on_doubt(Doubt.STORE)
        else:
            telemetry.COMMIT_SECONDS.observe(self._clock() - flushed_at)
            telemetry.FLUSH_EDITS.observe(len(batch.updates))
            self._on_committed(batch, appended.result())

    def _tell_settled(self) -> None:
        if self._settled is not None and not self._settled.done():
            self._settled.set_result(None)


def acknowledge(batch: Batch) -> None:
    """Tells the authors of a batch that it is committed and shown."""
    for each in batch:
        each.author.committed(each)
    for author in dict.fromkeys(each.author for each in batch):
        author.flush_acknowledgement()
