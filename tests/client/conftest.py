"""What the client's tests ask for."""

from collections.abc import AsyncIterator

import pytest

from tests.client.opening import Naps
from tests.client.small_server import SmallServer, small_server


@pytest.fixture
async def server() -> AsyncIterator[SmallServer]:
    async with small_server() as running:
        yield running


@pytest.fixture
def naps() -> Naps:
    return Naps()
