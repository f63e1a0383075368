"""One real server for all the tests of a module."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.hostile.stage import Stage, raise_curtain


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A running server with people, and a Node process for stock clients."""
    async with raise_curtain(tmp_path_factory.mktemp("server")) as stage:
        yield stage
