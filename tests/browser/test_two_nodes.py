"""Two people at one prompt on two nodes: they notice nothing of it, nor of what becomes of the nodes and of Redis."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import httpx2
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.editor import Editor, converged
from tests.browser.house import House
from tests.faults.cluster.cluster import Cluster, cluster
from tests.support.people import ENVIRONMENT
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer

pytestmark = [pytest.mark.browser, pytest.mark.faults, pytest.mark.asyncio(loop_scope="session")]

NO_SERVER = (
    r"WebSocket connection to '.*' failed|net::ERR_CONNECTION_REFUSED|net::ERR_CONNECTION_RESET|net::ERR_EMPTY_RESPONSE"
)


@pytest_asyncio.fixture(loop_scope="session")
async def two_nodes(
    postgres: PostgresServer, redis: RedisServer, tmp_path: Path, rng: Random
) -> AsyncIterator[Cluster]:
    """Two nodes behind a load balancer."""
    async with cluster(postgres, redis, nodes=2, tmp_path=tmp_path, rng=rng, environment=ENVIRONMENT) as nodes:
        yield nodes


async def test_two_people_on_two_nodes_write_one_text_whatever_happens(
    two_nodes: Cluster, browser: Browser, tmp_path: Path
) -> None:
    first, second = two_nodes.nodes
    async with httpx2.AsyncClient(trust_env=False) as http:
        house = await House.opened(first.server, browser, http, address=two_nodes.door.base_url)
        prompt_id = await house.rest.new_prompt("Two nodes", "Ada: \nGrace: ")
        two_nodes.door.only(first.number)
        ada = await house.guest("Ada", prompt_id)
        two_nodes.door.only(second.number)
        grace = await house.guest("Grace", prompt_id)
        for person in (ada, grace):
            person.expects(NO_SERVER)

        await ada.editor.go_behind("Ada: ")
        await expect(grace.editor.caret_of("Ada")).to_have_count(1)
        await grace.editor.go_behind("Grace: ")
        await both_type(ada.editor, grace.editor, "one two ", "uno dos ")
        await house.take_pictures(tmp_path)

        two_nodes.redis.kill()
        await both_type(ada.editor, grace.editor, "three ", "tres ")
        two_nodes.redis.start()
        await two_nodes.healthy()
        await expect(grace.editor.person("Ada")).to_be_visible()

        first.kill()
        await both_type(ada.editor, grace.editor, "four ", "cuatro ")
        await first.start()
        two_nodes.door.only(first.number)
        assert await second.terminate() == 0
        await both_type(ada.editor, grace.editor, "five", "cinco")
        text = await converged(ada.editor, grace.editor)
        assert text == "Ada: one two three four five\nGrace: uno dos tres cuatro cinco"
        await ada.editor.says("saved")
        await grace.editor.says("saved")
        assert await house.rest.live(prompt_id) == text
        await house.close()
    assert not [complaint for person in house.people for complaint in person.complaints]
    assert not two_nodes.complaints


async def both_type(ada: Editor, grace: Editor, hers: str, and_hers: str) -> None:
    """Have both type at once, and wait until each shows what the other has typed."""
    await asyncio.gather(ada.type(hers, milliseconds_per_key=30), grace.type(and_hers, milliseconds_per_key=30))
    await ada.holds(and_hers)
    await grace.holds(hers)
