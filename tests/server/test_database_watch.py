"""A database that goes away, and comes back, is one line of the log each."""

import pytest
from structlog.testing import capture_logs

from persistence.store import OpenMode, Store, migrate
from server import telemetry
from server.database_watch import DatabaseWatch
from tests.server.living import Clock
from tests.support.postgres import PostgresServer


@pytest.mark.faults
async def test_a_database_that_goes_and_comes_is_said_once_each(postgres: PostgresServer, postgres_url: str) -> None:
    await migrate(postgres_url)
    store = await Store.open(postgres_url, mode=OpenMode.COMMAND)
    clock = Clock()
    watch = DatabaseWatch(store, clock)
    with capture_logs() as log:
        await watch.look()
        assert log == []
        postgres.stop()
        for _ in range(3):
            await watch.look()
            clock.advance(5)
        assert telemetry.DATABASE_UP._value.get() == 0  # noqa: SLF001 - as the page of metrics would say
        postgres.start()
        for _ in range(2):
            await watch.look()
    assert [line["event"] for line in log] == ["database_down", "database_up"]
    assert log[0]["reason"]
    assert log[1]["after_seconds"] == 15
    await store.close()
