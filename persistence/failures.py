"""What a driver's exception means for the caller.

Only what can pass by itself becomes ``StoreUnavailable``: a statement that is wrong stays the
programming error it is, so that a defect is never hidden behind "try again later".
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from persistence.errors import Conflict, StoreDamaged, StoreError, StoreUnavailable

# SQLSTATE classes: connection, transaction rollback, resources (disk full), operator, system; then single
# states: lock not available, read-only transaction (a primary that was demoted), invalid catalog name,
# password and host, and a right that was not granted (a server that is being set up, for the first time
# or again).
_PASSING_CLASSES = ("08", "40", "53", "57", "58")
_PASSING_STATES = ("55P03", "25006", "3D000", "28P01", "28000", "42501")
_INTEGRITY_CLASS = "23"

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
}


def as_store_error(error: BaseException) -> StoreError | None:
    """Return what ``error`` means to a caller of the store, or None if it is a defect or not ours."""
    if isinstance(error, StoreError):
        return error
    if isinstance(error, IntegrityError):
        return Conflict(_first_line(error.orig or error))
    if isinstance(error, DBAPIError):
        original = error.orig
        cause = original.__cause__ if original is not None else None
        if error.connection_invalidated:
            return StoreUnavailable(_first_line(original or error))
        return _from_driver(cause) or _from_driver(original)
    if isinstance(error, PoolTimeoutError):
        return StoreUnavailable("every connection to the database is busy")
    return _from_driver(error)


def _from_driver(error: BaseException | None) -> StoreError | None:
    if isinstance(error, sqlite3.IntegrityError):
        return Conflict(_first_line(error))
    if isinstance(error, sqlite3.DatabaseError):
        return _from_sqlite_code(error)
    if isinstance(error, asyncpg.PostgresError):
        return _from_sqlstate(error.sqlstate or "", _first_line(error))
    # A refused or cut connection, a name that does not resolve, a call that took too long.
    if isinstance(error, TimeoutError) and not str(error):
        return StoreUnavailable("the database did not answer in time")
    if isinstance(error, (asyncpg.InterfaceError, OSError, TimeoutError)):
        return StoreUnavailable(_first_line(error))
    return None


def _from_sqlite_code(error: sqlite3.DatabaseError) -> StoreError | None:
    # The lower byte is the kind; an error that Python raised itself has no code.
    kind = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if kind in _DAMAGED:
        return StoreDamaged(_first_line(error))
    if kind in _PASSING:
        return StoreUnavailable(_first_line(error))
    return None


def _from_sqlstate(state: str, message: str) -> StoreError | None:
    if state.startswith(_INTEGRITY_CLASS):
        return Conflict(message)
    if state.startswith(_PASSING_CLASSES) or state in _PASSING_STATES:
        return StoreUnavailable(message)
    return None


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__


@contextmanager
def store_errors() -> Iterator[None]:
    """Raise what a driver raises inside the block as the ``StoreError`` it means.

    Raises:
        StoreUnavailable: the database cannot be used now.
        Conflict: a constraint of the schema refused the row.
    """
    try:
        yield
    except Exception as error:
        meaning = as_store_error(error)
        if meaning is None or meaning is error:
            raise
        raise meaning from error
