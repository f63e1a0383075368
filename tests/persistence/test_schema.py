"""Migrations: up and down on both databases, from a checkout and from an installed wheel."""

import asyncio
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection

from persistence import postgres
from persistence.address import DatabaseAddress
from persistence.engine import Database
from persistence.errors import SchemaOutdated, StoreInUse, StoreUnavailable
from persistence.schema import head_revision
from persistence.store import OpenMode, Store, downgrade, migrate
from persistence.tables import metadata
from tests.persistence.conftest import home_of

pytestmark = pytest.mark.slow


async def inspected(url: str, look: Any) -> Any:  # noqa: ANN401 - whatever the look returns
    database = Database(DatabaseAddress.parse(url))
    try:
        async with database.read() as connection:
            return await connection.run_sync(look)
    finally:
        await database.close()


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def differences(connection: Connection) -> Iterable[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, metadata))


async def test_migrating_makes_exactly_the_tables_of_the_program(database_url: str) -> None:
    await migrate(database_url)
    assert await inspected(database_url, tables) == {*metadata.tables, "alembic_version"}
    assert await inspected(database_url, differences) == []


async def test_migrating_again_changes_nothing_and_going_down_and_up_works(database_url: str) -> None:
    await migrate(database_url)
    store = await Store.open(database_url)
    await home_of(store)
    await store.close()
    await migrate(database_url)
    await downgrade(database_url, "base")
    assert await inspected(database_url, tables) == {"alembic_version"}
    await migrate(database_url)
    assert await inspected(database_url, differences) == []
    store = await Store.open(database_url)
    assert (await store.bootstrap()).is_new
    await store.close()


async def test_a_step_that_fails_leaves_the_schema_as_it_was(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **named: object) -> None:
        del arguments, named
        raise LookupError

    monkeypatch.setattr("alembic.operations.Operations.create_index", fail)
    with pytest.raises(LookupError):
        await migrate(database_url)
    monkeypatch.undo()
    assert await inspected(database_url, tables) == set()
    await migrate(database_url)


async def test_migrations_that_run_at_once_are_put_in_a_row(postgres_url: str) -> None:
    await asyncio.gather(*[migrate(postgres_url) for _ in range(3)])
    assert await inspected(postgres_url, differences) == []


async def test_a_database_without_a_schema_is_refused_with_what_to_do(database_url: str) -> None:
    for mode in (OpenMode.SERVER, OpenMode.COMMAND):
        with pytest.raises(SchemaOutdated, match="promptroom migrate"):
            await Store.open(database_url, mode=mode)


async def test_a_database_of_a_newer_program_is_refused(store_url: str) -> None:
    async def stamp(revision: str) -> None:
        database = Database(DatabaseAddress.parse(store_url))
        async with database.write() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = :r"), {"r": revision})
        await database.close()

    await stamp("9999")
    with pytest.raises(SchemaOutdated, match="newer"):
        await Store.open(store_url)
    with pytest.raises(SchemaOutdated, match="newer"):
        await migrate(store_url)
    await stamp(head_revision())
    await (await Store.open(store_url)).close()


async def test_a_file_that_a_server_has_open_is_not_migrated_under_it(sqlite_store_url: str) -> None:
    store = await Store.open(sqlite_store_url)
    with pytest.raises(StoreInUse):
        await downgrade(sqlite_store_url, "base")
    await store.close()
    await downgrade(sqlite_store_url, "base")


async def test_a_place_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable):
        await migrate(f"sqlite:///{tmp_path}/file/promptroom.db")


async def test_an_sqlite_file_belongs_to_one_server(sqlite_store_url: str) -> None:
    with pytest.raises(ValueError, match="PostgreSQL"):
        await Store.open(sqlite_store_url, mode=OpenMode.CLUSTER)


def test_an_installed_package_migrates_without_a_checkout(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    wheels, site = tmp_path / "wheels", tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    building = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(root)]
    subprocess.run([*pip, *building], check=True)
    (wheel,) = wheels.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", str(site), str(wheel)], check=True)
    program = (
        "import asyncio, persistence.store as s\n"
        f"assert s.__file__.startswith({str(site)!r}), s.__file__\n"
        "url = 'sqlite:///var/promptroom.db'\n"
        "asyncio.run(s.migrate(url)); asyncio.run(s.downgrade(url, 'base')); asyncio.run(s.migrate(url))\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path, env={"PYTHONPATH": str(site)})
    assert (tmp_path / "var/promptroom.db").stat().st_mode & 0o777 == 0o600


async def test_a_step_may_take_longer_than_any_other_statement(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an index on a large journal does."""
    monkeypatch.setattr(postgres, "STATEMENT_SECONDS", 0.2)
    upgrade = command.upgrade

    def slowly(config: Config, revision: str) -> None:
        upgrade(config, revision)
        config.attributes["connection"].exec_driver_sql("SELECT pg_sleep(0.5)")

    monkeypatch.setattr(command, "upgrade", slowly)
    await migrate(postgres_url)
