"""What passes is told from what is a defect."""

import sqlite3

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from persistence.errors import Conflict, NotFound, StoreDamaged, StoreUnavailable
from persistence.failures import as_store_error, store_errors
from persistence.store import Store


def sqlite_error(kind: type[sqlite3.Error], code: int) -> sqlite3.Error:
    error = kind("told by SQLite\nat length")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (sqlite_error(sqlite3.OperationalError, sqlite3.SQLITE_BUSY), StoreUnavailable),
        (sqlite_error(sqlite3.OperationalError, sqlite3.SQLITE_FULL), StoreUnavailable),
        (sqlite_error(sqlite3.OperationalError, sqlite3.SQLITE_READONLY_DBMOVED), StoreUnavailable),
        (sqlite_error(sqlite3.OperationalError, sqlite3.SQLITE_IOERR_WRITE), StoreUnavailable),
        (sqlite_error(sqlite3.DatabaseError, sqlite3.SQLITE_CORRUPT), StoreDamaged),
        (sqlite_error(sqlite3.DatabaseError, sqlite3.SQLITE_NOTADB), StoreDamaged),
        (sqlite_error(sqlite3.OperationalError, sqlite3.SQLITE_ERROR), None),
        (sqlite3.ProgrammingError("Cannot operate on a closed database."), None),
        (sqlite_error(sqlite3.IntegrityError, sqlite3.SQLITE_CONSTRAINT_UNIQUE), Conflict),
        (asyncpg.AdminShutdownError("stopped"), StoreUnavailable),
        (asyncpg.CannotConnectNowError("starting up"), StoreUnavailable),
        (asyncpg.ConnectionDoesNotExistError("gone"), StoreUnavailable),
        (asyncpg.DeadlockDetectedError("deadlock"), StoreUnavailable),
        (asyncpg.DiskFullError("full"), StoreUnavailable),
        (asyncpg.InsufficientPrivilegeError("permission denied for schema public"), StoreUnavailable),
        (asyncpg.InvalidAuthorizationSpecificationError("no pg_hba.conf entry for host"), StoreUnavailable),
        (asyncpg.LockNotAvailableError("locked"), StoreUnavailable),
        (asyncpg.QueryCanceledError("timeout"), StoreUnavailable),
        (asyncpg.ReadOnlySQLTransactionError("demoted"), StoreUnavailable),
        (asyncpg.TooManyConnectionsError("many"), StoreUnavailable),
        (asyncpg.UniqueViolationError("twice"), Conflict),
        (asyncpg.UndefinedTableError("no such table"), None),
        (asyncpg.InterfaceError("connection is closed"), StoreUnavailable),
        (ConnectionRefusedError("refused"), StoreUnavailable),
        (TimeoutError(), StoreUnavailable),
        (PoolTimeoutError(), StoreUnavailable),
        (NotFound("ours"), NotFound),
        (ZeroDivisionError(), None),
        (DBAPIError("SELECT 1", {}, sqlite3.OperationalError("gone"), connection_invalidated=True), StoreUnavailable),
    ],
)
def test_each_failure_has_one_meaning(error: Exception, meaning: type[Exception] | None) -> None:
    assert type(as_store_error(error)) is (meaning or type(None))


def test_the_message_is_the_first_line_and_never_empty() -> None:
    assert str(as_store_error(sqlite_error(sqlite3.OperationalError, sqlite3.SQLITE_FULL))) == "told by SQLite"
    assert str(as_store_error(TimeoutError())) == "the database did not answer in time"
    assert str(as_store_error(ConnectionResetError())) == "ConnectionResetError"


def test_a_defect_is_raised_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError), store_errors():
        raise ZeroDivisionError
    with pytest.raises(NotFound, match="ours"), store_errors():
        raise NotFound("ours")


async def test_a_wrong_statement_is_a_defect_on_both_databases(store: Store) -> None:
    for transaction in (store.database.read, store.database.write):
        with pytest.raises(DBAPIError):
            async with transaction() as connection:
                await connection.execute(text("SELECT nothing FROM nowhere"))
    assert await store.ping() >= 0
