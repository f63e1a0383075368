"""The journal's group commit on SQLite: one thread hop, one transaction, one `fsync`.

A group is first written optimistically. Only when an append in it is refused is the transaction rolled back and
written again with a savepoint around each append, so that the refused one fails alone; the common case pays for
no savepoints.

Each statement gives up and takes back the interpreter's lock, which costs far more than the insert itself while the
event loop is busy. So rows are inserted many to a statement.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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

_ADVANCE = """
UPDATE prompts SET head_seq = head_seq + ?, updated_at = ?
WHERE id = ? AND deleted_at IS NULL RETURNING head_seq
"""
_BIND = "INSERT INTO client_ids (prompt_id, client_id, user_id, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
_BOUND_TO = "SELECT user_id FROM client_ids WHERE prompt_id = ? AND client_id = ?"
_ROW = "(?, ?, ?, ?, ?, ?)"
_INSERT = "INSERT INTO journal (prompt_id, seq, user_id, kind, created_at, payload) VALUES "
# Few sizes, so that each is prepared once and stays in the connection's statement cache.
_ROWS_PER_STATEMENT = (64, 16, 4, 1)
_INSERT_ROWS = {rows: _INSERT + ", ".join([_ROW] * rows) for rows in _ROWS_PER_STATEMENT}

_Row = tuple[bytes, int, bytes, str, int, bytes]


class SqliteWriter:
    """Commits groups of appends to an SQLite file.

    Args:
        path: the database file.
        lock_wait_seconds: how long a commit waits for another connection's lock before the group fails.
    """

    def __init__(self, path: Path, *, lock_wait_seconds: float) -> None:
        self.thread = SqliteThread(path, lock_wait_seconds=lock_wait_seconds)

    async def commit(self, group: Sequence[Append], now: datetime) -> list[Outcome]:
        """Commit the group and answer, for each append, its last seq or why it alone was refused.

        Raises:
            StoreUnavailable: the file is locked, full or cannot be written.
        """
        return await self.thread.run(partial(self._commit, group, to_microseconds(now)))

    async def close(self) -> None:
        """End the thread and close the connection."""
        await self.thread.close()

    def _commit(self, group: Sequence[Append], now: int, connection: sqlite3.Connection) -> list[Outcome]:
        try:
            try:
                return _write_together(connection, group, now)
            except _Refused:
                return _write_apart(connection, group, now)
        except sqlite3.Error as error:
            # A connection that has failed once may hold a half-open transaction or a file that is no longer there.
            self.thread.discard()
            raise as_store_error(error) or StoreUnavailable(str(error)) from error


class _Refused(Exception):
    """An append was refused; carries why."""

    def __init__(self, why: StoreError) -> None:
        super().__init__(str(why))
        self.why = why


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has rolled back by itself after some errors (disk full among them).
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _write_together(connection: sqlite3.Connection, group: Sequence[Append], now: int) -> list[Outcome]:
    rows: list[_Row] = []
    with _transaction(connection):
        outcomes: list[Outcome] = [_write(connection, append, now, rows) for append in group]
        _insert(connection, rows)
    return outcomes


def _write_apart(connection: sqlite3.Connection, group: Sequence[Append], now: int) -> list[Outcome]:
    outcomes: list[Outcome] = []
    with _transaction(connection):
        for append in group:
            rows: list[_Row] = []
            connection.execute("SAVEPOINT append")
            try:
                seq = _write(connection, append, now, rows)
                _insert(connection, rows)
            except _Refused as refused:
                connection.execute("ROLLBACK TO append")
                outcomes.append(refused.why)
            else:
                outcomes.append(seq)
            connection.execute("RELEASE append")
    return outcomes


def _write(connection: sqlite3.Connection, append: Append, now: int, rows: list[_Row]) -> int:
    """Advance the head and bind the client ids; add the journal rows, still to be inserted, to ``rows``."""
    prompt_id = append.prompt_id.bytes
    advanced = connection.execute(_ADVANCE, (len(append.edits), now, prompt_id)).fetchone()
    if advanced is None:
        raise _Refused(NotFound(f"no prompt {append.prompt_id}"))
    for client_id, user_id in append.bindings.items():
        _bind(connection, append.prompt_id, client_id, user_id, now)
    head: int = advanced[0]
    for seq, edit in enumerate(append.edits, head - len(append.edits) + 1):
        rows.append((prompt_id, seq, edit.user_id.bytes, edit.kind.value, now, edit.update))
    return head


def _bind(connection: sqlite3.Connection, prompt_id: UUID, client_id: int, user_id: UUID, now: int) -> None:
    with _refusing_unknown_users():
        inserted = connection.execute(_BIND, (prompt_id.bytes, client_id, user_id.bytes, now)).rowcount
    if inserted:
        return
    (bound_to,) = connection.execute(_BOUND_TO, (prompt_id.bytes, client_id)).fetchone()
    if bound_to != user_id.bytes:
        raise _Refused(ClientIdConflict(f"client id {client_id} of prompt {prompt_id} belongs to another user"))


def _insert(connection: sqlite3.Connection, rows: list[_Row]) -> None:
    with _refusing_unknown_users():
        start = 0
        for count in _ROWS_PER_STATEMENT:
            while len(rows) - start >= count:
                values = [value for row in rows[start : start + count] for value in row]
                connection.execute(_INSERT_ROWS[count], values)
                start += count


@contextmanager
def _refusing_unknown_users() -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise _Refused(Conflict(str(error))) from error
