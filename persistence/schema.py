"""Bringing a database to a schema, and telling which one it has.

The migrations travel inside the package and are run from here, so that an installed wheel needs neither an
``alembic.ini`` nor a working directory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from persistence import sqlite
from persistence.address import DatabaseAddress
from persistence.engine import Database
from persistence.errors import SchemaOutdated, StoreUnavailable
from persistence.failures import store_errors
from persistence.file_lock import FileLock

_MIGRATIONS = Path(__file__).parent / "migrations"

# Puts two migrations in a row. It is not the server's lock: a release step migrates while the old server still runs.
_LOCK_KEY = int.from_bytes(b"migrates", "big", signed=True)


async def migrate(database_url: str, revision: str = "head") -> None:
    """Bring the database to a revision, the newest by default; create the file if there is none.

    Args:
        database_url: where it is.
        revision: what to go up to.

    Raises:
        StoreInUse: a server has the SQLite file open, and there is something to change.
        StoreUnavailable: the database cannot be reached.
        SchemaOutdated: a newer program has migrated it.
        DatabaseUrlInvalid: the URL cannot be used.
    """
    address = DatabaseAddress.parse(database_url)
    try:
        current = await _revision_of(address)
        _refuse_newer(current)
        if revision == "head" and current == head_revision():
            return
        await _run(address, partial(command.upgrade, revision=revision))
    except StoreUnavailable as error:
        raise type(error)(f"the database {address.shown} cannot be used: {error}") from error


async def downgrade(database_url: str, revision: str) -> None:
    """Bring the database back to an older revision; ``base`` is before the first.

    Args:
        database_url: where it is.
        revision: what to go down to.

    Raises:
        StoreInUse: a server has the SQLite file open.
        StoreUnavailable: the database cannot be reached.
        DatabaseUrlInvalid: the URL cannot be used.
    """
    await _run(DatabaseAddress.parse(database_url), partial(command.downgrade, revision=revision))


async def check_schema(database: Database) -> None:
    """Check that the database has the schema this program was written for.

    Raises:
        SchemaOutdated: it has another one, or none.
    """
    async with database.read() as connection:
        current = await connection.run_sync(_current_revision)
    head = head_revision()
    if current == head:
        return
    _refuse_newer(current)
    raise SchemaOutdated(f"the database has revision {current or 'none'} and needs {head}: run promptroom migrate")


def _refuse_newer(current: str | None) -> None:
    if current is None or current in {script.revision for script in _scripts().walk_revisions()}:
        return
    newest = f"this program ({head_revision()})"
    raise SchemaOutdated(f"the database has revision {current}, which is newer than {newest}: update it")


def head_revision() -> str:
    """Return the newest revision this program knows."""
    head = _scripts().get_current_head()
    if head is None:
        raise SchemaOutdated("the package carries no migrations")
    return head


async def _revision_of(address: DatabaseAddress) -> str | None:
    if address.kind == "sqlite" and not address.path.exists():
        return None
    database = Database(address)
    try:
        async with database.read() as connection:
            return await connection.run_sync(_current_revision)
    finally:
        await database.close()


async def _run(address: DatabaseAddress, step: Callable[[Config], None]) -> None:
    with _exclusive_file(address):
        # An index on a journal of years takes as long as it does.
        database = Database(address, statement_seconds=None)
        try:
            async with database.write() as connection:
                if not database.is_sqlite:
                    await connection.execute(select(func.pg_advisory_xact_lock(_LOCK_KEY)))
                await connection.run_sync(partial(_step, step))
        finally:
            await database.close()


@contextmanager
def _exclusive_file(address: DatabaseAddress) -> Iterator[None]:
    if address.kind != "sqlite":
        yield
        return
    lock = FileLock(address.path)
    with store_errors():
        sqlite.create_file(address.path)
        lock.take()
    try:
        yield
    finally:
        lock.release()


def _step(step: Callable[[Config], None], connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    step(config)


def _config() -> Config:
    config = Config()
    # Doubled, because Alembic expands percent signs.
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _current_revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
