"""The journal's group commit on SQLite: one thread hop, one transaction, one `fsync`.

A group is first written optimistically. Only when an append in it is refused is the transaction rolled back and
written again with a savepoint around each append, so that the refused one fails alone; the common case pays for
no savepoints.

Each statement gives up and takes back the interpreter's lock, which costs far more than the row itself while the
event loop is busy. So a statement advances many prompts, or inserts many rows. And as every edit waits for this, a
commit of one prompt runs through as few lines as it can: what an idle processor has to fetch anew makes up most of it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from uuid import UUID

from persistence.columns import to_microseconds
from persistence.edits import Append
from persistence.errors import ClientIdConflict, Conflict, NotFound, StoreError, StoreUnavailable
from persistence.failures import as_store_error
from persistence.group_commit import Outcome
from persistence.sqlite_thread import SqliteThread

# Few sizes, so that each statement is prepared once and stays in the connection's cache.
_SIZES = (64, 16, 4, 1)


def _for_sizes(statement: str, row: str) -> dict[int, str]:
    return {size: statement.format(rows=", ".join([row] * size)) for size in _SIZES}


_ADVANCE = _for_sizes(
    """
    WITH wanted (prompt_id, edits, at) AS (VALUES {rows})
    UPDATE prompts SET head_seq = head_seq + wanted.edits,
        updated_at = CASE WHEN wanted.edits > 0 THEN wanted.at ELSE prompts.updated_at END
    FROM wanted WHERE prompts.id = wanted.prompt_id AND prompts.deleted_at IS NULL
    RETURNING prompts.id, prompts.head_seq
    """,
    "(?, ?, ?)",
)
# What the above comes to for one prompt, at two thirds of the time.
_ADVANCE_ONE = """
    UPDATE prompts SET head_seq = head_seq + ?1, updated_at = CASE WHEN ?1 > 0 THEN ?2 ELSE updated_at END
    WHERE id = ?3 AND deleted_at IS NULL RETURNING head_seq
"""
_INSERT = _for_sizes(
    "INSERT INTO journal (prompt_id, seq, user_id, kind, created_at, payload) VALUES {rows}", "(?, ?, ?, ?, ?, ?)"
)
_BIND = "INSERT INTO client_ids (prompt_id, client_id, user_id, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
_BOUND_TO = "SELECT user_id FROM client_ids WHERE prompt_id = ? AND client_id = ?"

_Row = tuple[bytes, int, bytes, str, int, bytes]


class SqliteWriter:
    """Commits groups of appends to an SQLite file.

    Args:
        path: the database file.
        lock_wait_seconds: how long a commit waits for another connection's lock before the group fails.
    """

    def __init__(self, path: Path, *, lock_wait_seconds: float) -> None:
        self.thread = SqliteThread(path, lock_wait_seconds=lock_wait_seconds)

    def commit(self, group: Sequence[Append], now: datetime) -> asyncio.Future[list[Outcome]]:
        """Start to commit the group; the future answers, for each append, its last seq or why it alone was refused.

        It fails with StoreUnavailable where the file is locked, full or cannot be written.
        """
        return self.thread.run(partial(self._commit, group, to_microseconds(now)))

    async def close(self) -> None:
        """End the thread and close the connection."""
        await self.thread.close()

    def _commit(self, group: Sequence[Append], now: int, connection: sqlite3.Connection) -> list[Outcome]:
        try:
            try:
                return _in_transaction(_write, connection, group, now)
            except _Refused:
                return _in_transaction(_write_apart, connection, group, now)
        except sqlite3.Error as error:
            # A connection that has failed once may hold a half-open transaction or a file that is no longer there.
            self.thread.discard()
            raise as_store_error(error) or StoreUnavailable(str(error)) from error


class _Refused(Exception):
    """An append was refused; carries why."""

    def __init__(self, why: StoreError) -> None:
        super().__init__(str(why))
        self.why = why


_Write = Callable[[sqlite3.Connection, Sequence[Append], int], Sequence[Outcome]]


def _in_transaction(write: _Write, connection: sqlite3.Connection, group: Sequence[Append], now: int) -> list[Outcome]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        outcomes = write(connection, group, now)
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has rolled back by itself after some errors (disk full among them).
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return [*outcomes]


def _write_apart(connection: sqlite3.Connection, group: Sequence[Append], now: int) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for append in group:
        connection.execute("SAVEPOINT append")
        try:
            outcomes += _write(connection, [append], now)
        except _Refused as refused:
            connection.execute("ROLLBACK TO append")
            outcomes.append(refused.why)
        connection.execute("RELEASE append")
    return outcomes


def _write(connection: sqlite3.Connection, appends: Sequence[Append], now: int) -> list[int]:
    """Advance the heads, bind the client ids, insert the rows; return the last seq of each append."""
    heads = _advance(connection, appends, now)
    rows: list[_Row] = []
    lasts: list[int] = []
    for append in appends:
        if append.bindings:
            _bind(connection, append, now)
        prompt_id, seq = append.prompt_id.bytes, heads[append.prompt_id]
        for edit in append.edits:
            seq += 1
            rows.append((prompt_id, seq, edit.user_id.bytes, edit.kind.value, now, edit.update))
        heads[append.prompt_id] = seq
        lasts.append(seq)
    _insert(connection, rows)
    return lasts


def _advance(connection: sqlite3.Connection, appends: Sequence[Append], now: int) -> dict[UUID, int]:
    """Advance the head of every prompt and return what it was before."""
    if len(appends) == 1:
        (append,) = appends
        count = len(append.edits)
        head = connection.execute(_ADVANCE_ONE, (count, now, append.prompt_id.bytes)).fetchone()
        if head is None:
            raise _no_prompt(append)
        return {append.prompt_id: head[0] - count}
    counts: dict[bytes, int] = {}
    for append in appends:
        prompt_id = append.prompt_id.bytes
        counts[prompt_id] = counts.get(prompt_id, 0) + len(append.edits)
    heads: dict[bytes, int] = {}
    for size, values in _chunks([(prompt_id, count, now) for prompt_id, count in counts.items()]):
        heads.update(connection.execute(_ADVANCE[size], values).fetchall())
    for append in appends:
        if append.prompt_id.bytes not in heads:
            raise _no_prompt(append)
    return {UUID(bytes=prompt_id): head - counts[prompt_id] for prompt_id, head in heads.items()}


def _no_prompt(append: Append) -> _Refused:
    return _Refused(NotFound(f"no prompt {append.prompt_id}"))


def _insert(connection: sqlite3.Connection, rows: Sequence[_Row]) -> None:
    try:
        if len(rows) == 1:
            connection.execute(_INSERT[1], rows[0])
            return
        for size, values in _chunks(rows):
            connection.execute(_INSERT[size], values)
    except sqlite3.IntegrityError as error:
        raise _Refused(Conflict(str(error))) from error


def _chunks(rows: Sequence[tuple[object, ...]]) -> Iterator[tuple[int, list[object]]]:
    start = 0
    for size in _SIZES:
        while len(rows) - start >= size:
            yield size, [value for row in rows[start : start + size] for value in row]
            start += size


def _bind(connection: sqlite3.Connection, append: Append, now: int) -> None:
    prompt_id = append.prompt_id.bytes
    for client_id, user_id in append.bindings.items():
        try:
            inserted = connection.execute(_BIND, (prompt_id, client_id, user_id.bytes, now)).rowcount
        except sqlite3.IntegrityError as error:
            raise _Refused(Conflict(str(error))) from error
        if inserted:
            continue
        (bound_to,) = connection.execute(_BOUND_TO, (prompt_id, client_id)).fetchone()
        if bound_to != user_id.bytes:
            message = f"client id {client_id} of prompt {append.prompt_id} belongs to another user"
            raise _Refused(ClientIdConflict(message))
