"""What the tests of the server share."""

from collections.abc import AsyncIterator

import pytest

from tests.server.living import House


@pytest.fixture
async def house(sqlite_url: str) -> AsyncIterator[House]:
    """A hub over an SQLite store with one prompt, and people of every role."""
    house = await House.build(sqlite_url, text="Hello")
    yield house
    await house.close()
