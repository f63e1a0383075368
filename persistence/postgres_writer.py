"""The journal's group commit on PostgreSQL: one statement, one round trip.

The statement is its own transaction. It locks the prompts of the group in the order of their ids (two servers
that commit at once cannot deadlock), advances each head, binds new client ids and inserts the rows. A client id
that is already bound to somebody else makes it insert NULL where NULL is not allowed: the whole statement fails, and
each append is then tried alone, so that the refused one fails alone.

The connection also holds the lock that makes this process the only server of the database, or one of several that
know of each other (with Redis), and one that is this writer's alone. Both are taken again whenever the connection has
to be opened again, after the session before was ended; and so a commit whose answer was lost is over, one way or the
other, before the next one begins, wherever in the network it was held up.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from persistence import postgres
from persistence.edits import Append
from persistence.errors import ClientIdConflict, Conflict, NotFound, StoreError, StoreInUse, StoreUnavailable
from persistence.failures import as_store_error
from persistence.group_commit import Outcome

# Advisory locks are per database. The number says "promptro" and means nothing else.
LOCK_KEY = int.from_bytes(b"promptro", "big", signed=True)

# A commit that takes longer than this is given up, by the server: given up by us alone it could still come true
# long after its authors were told that it failed. Only a server that does not answer at all is not waited for.
COMMIT_SECONDS = 10.0
_SILENCE_SECONDS = 2.0
_CLOSE_SECONDS = 1.0

# A session of ours that nobody hears of any more: by its number, and by its beginning, because numbers come again.
_OWN_SESSION = "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
_END_SESSION = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2"

_APPEND = """
WITH wanted AS (
    SELECT * FROM unnest($1::uuid[], $2::integer[]) AS w (prompt_id, edits)
), locked AS MATERIALIZED (
    SELECT id FROM prompts WHERE id = ANY ($1::uuid[]) AND deleted_at IS NULL ORDER BY id FOR UPDATE
), advanced AS (
    UPDATE prompts SET head_seq = prompts.head_seq + wanted.edits,
        updated_at = CASE WHEN wanted.edits > 0 THEN $11 ELSE prompts.updated_at END
    FROM wanted JOIN locked ON locked.id = wanted.prompt_id
    WHERE prompts.id = wanted.prompt_id
    RETURNING prompts.id, prompts.head_seq, prompts.head_seq - wanted.edits AS previous
), bound AS (
    INSERT INTO client_ids AS c (prompt_id, client_id, user_id, created_at)
    SELECT b.prompt_id, b.client_id, b.user_id, $11
    FROM unnest($3::uuid[], $4::bigint[], $5::uuid[]) AS b (prompt_id, client_id, user_id)
    JOIN advanced ON advanced.id = b.prompt_id
    ON CONFLICT (prompt_id, client_id) DO UPDATE
    SET user_id = CASE WHEN c.user_id = excluded.user_id THEN c.user_id END
), written AS (
    INSERT INTO journal (prompt_id, seq, user_id, kind, created_at, payload)
    SELECT e.prompt_id, advanced.previous + e.place, e.user_id, e.kind, $11, e.payload
    FROM unnest($6::uuid[], $7::integer[], $8::uuid[], $9::text[], $10::bytea[])
        AS e (prompt_id, place, user_id, kind, payload)
    JOIN advanced ON advanced.id = e.prompt_id
)
SELECT id, previous FROM advanced
"""


class PostgresWriter:
    """Commits groups of appends to PostgreSQL, over a connection of its own.

    Args:
        dsn: the address, as ``DatabaseAddress.dsn`` has it.
        shown: the address for messages, without the password.
        lock_wait_seconds: how long a commit waits for another transaction's row lock.
        shared: other servers may use the database too, and say so as well.
    """

    def __init__(self, dsn: str, shown: str, *, lock_wait_seconds: float, shared: bool) -> None:
        self._dsn = dsn
        self._shown = shown
        self._lock_wait_seconds = lock_wait_seconds
        self._shared = shared
        self._connection: asyncpg.Connection[Any] | None = None
        self._append: asyncpg.prepared_stmt.PreparedStatement[Any] | None = None
        self._own_lock = secrets.randbits(62)
        self._session: asyncpg.Record | None = None

    async def open(self) -> None:
        """Connect and take the lock of the database.

        Raises:
            StoreInUse: another server holds it.
            StoreUnavailable: the server cannot be reached.
        """
        try:
            await self._connect()
        except StoreError:
            raise
        except Exception as error:
            raise as_store_error(error) or error from error

    def commit(self, group: Sequence[Append], now: datetime) -> asyncio.Future[list[Outcome]]:
        """Start to commit the group; the future answers, for each append, its last seq or why it was refused.

        That is StoreUnavailable where the server cannot be reached or another one has taken over the database.
        """
        return asyncio.get_running_loop().create_task(self._commit(group, now), name="journal commit")

    async def _commit(self, group: Sequence[Append], now: datetime) -> list[Outcome]:
        outcomes: dict[int, Outcome] = {}
        for batch in _batches(group):
            appends = [group[index] for index in batch]
            outcomes.update(zip(batch, await self._commit_batch(appends, now), strict=True))
        return [outcomes[index] for index in range(len(group))]

    async def close(self) -> None:
        """Close the connection, which gives the lock back."""
        await self._discard()

    async def _commit_batch(self, batch: Sequence[Append], now: datetime) -> list[Outcome]:
        try:
            return await self._execute(batch, now)
        except Conflict as conflict:
            if len(batch) == 1:
                return [conflict]
        except StoreUnavailable as error:
            # An outcome and not an exception: another batch of the group may be committed already.
            return [error] * len(batch)
        return [(await self._commit_batch([append], now))[0] for append in batch]

    async def _execute(self, batch: Sequence[Append], now: datetime) -> list[Outcome]:
        try:
            statement = self._append if self._is_open() and self._append else await self._connect()
            rows = await statement.fetch(*_arguments(batch, now), timeout=COMMIT_SECONDS + _SILENCE_SECONDS)
        except asyncpg.NotNullViolationError as error:
            raise ClientIdConflict("a client id of the prompt belongs to another user") from error
        except StoreInUse as error:
            raise StoreUnavailable(str(error)) from error
        except Exception as error:
            meaning = as_store_error(error)
            if not isinstance(meaning, Conflict):
                await self._discard()
            raise meaning or error from error
        return _outcomes(batch, {row["id"]: row["previous"] for row in rows})

    def _is_open(self) -> bool:
        return self._connection is not None and not self._connection.is_closed()

    async def _connect(self) -> asyncpg.prepared_stmt.PreparedStatement[Any]:
        await self._discard()
        connection = await postgres.connect(self._dsn, self._lock_wait_seconds)
        try:
            await self._take_over(connection)
            await connection.execute(f"SET statement_timeout = {round(COMMIT_SECONDS * 1000)}")
            self._append = await connection.prepare(_APPEND)
        except BaseException:
            connection.terminate()
            raise
        self._connection = connection
        return self._append

    async def _take_over(self, connection: asyncpg.Connection[Any]) -> None:
        """End the session before, take the locks, and remember this session."""
        if self._session is not None:
            await connection.execute(_END_SESSION, *self._session)
        await self._take_locks(connection)
        self._session = await connection.fetchrow(_OWN_SESSION)

    async def _take_locks(self, connection: asyncpg.Connection[Any]) -> None:
        lock = "pg_advisory_lock_shared" if self._shared else "pg_advisory_lock"
        try:
            # Waited for, within the connection's lock_timeout: the session of a server that was killed, or our own
            # that broke, may take a moment to let go.
            await connection.execute(f"SELECT {lock}({LOCK_KEY}), pg_advisory_lock({self._own_lock})")
        except asyncpg.LockNotAvailableError as error:
            raise StoreInUse(
                f"another server uses {self._shown}; stop it, or give every server the same REDIS_URL"
            ) from error

    async def _discard(self) -> None:
        connection, self._connection, self._append = self._connection, None, None
        if connection is None or connection.is_closed():
            return
        try:
            # Politely first: asyncpg then waits until the server has heard that a statement was given up.
            await connection.close(timeout=_CLOSE_SECONDS)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            connection.terminate()


def _batches(group: Sequence[Append]) -> list[list[int]]:
    """Split a group into statements, as indexes, so that appends that share a fate cannot harm each other.

    A statement holds any number of appends of one prompt as long as none of them binds a client id; one that does is
    alone with its prompt. Almost always there is one statement.
    """
    batches: list[list[int]] = []
    following: dict[UUID, int] = {}
    closed: dict[UUID, int] = {}
    for index, append in enumerate(group):
        prompt_id = append.prompt_id
        place = following.get(prompt_id, 0)
        if append.bindings:
            place = max(place, closed.get(prompt_id, 0))
            following[prompt_id] = place + 1
        closed[prompt_id] = place + 1
        while len(batches) <= place:
            batches.append([])
        batches[place].append(index)
    return batches


def _arguments(batch: Sequence[Append], now: datetime) -> Iterable[object]:
    counts: dict[UUID, int] = {}
    bindings: list[tuple[UUID, int, UUID]] = []
    rows: list[tuple[UUID, int, UUID, str, bytes]] = []
    for append in batch:
        prompt_id = append.prompt_id
        bindings.extend((prompt_id, client_id, user_id) for client_id, user_id in append.bindings.items())
        place = counts.get(prompt_id, 0)
        rows.extend(
            (prompt_id, place + index, edit.user_id, edit.kind.value, edit.update)
            for index, edit in enumerate(append.edits, 1)
        )
        counts[prompt_id] = place + len(append.edits)
    # A column of no rows is an empty column, not none: a probe has no edits.
    bound = zip(*bindings, strict=True) if bindings else ((), (), ())
    written = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    return [list(counts), list(counts.values()), *bound, *written, now]


def _outcomes(batch: Sequence[Append], previous: dict[UUID, int]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for append in batch:
        if append.prompt_id not in previous:
            outcomes.append(NotFound(f"no prompt {append.prompt_id}"))
            continue
        previous[append.prompt_id] += len(append.edits)
        outcomes.append(previous[append.prompt_id])
    return outcomes
