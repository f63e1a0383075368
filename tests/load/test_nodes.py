"""Several nodes that are one: who is let in where, on which core each runs, and that together they keep the promise."""

from collections import Counter
from random import Random

import pytest

from load.crowd import spread
from load.plan import ENTRIES
from load.scenarios import Scenario
from load.scenarios.between_nodes import BetweenNodes
from load.scenarios.burst import Burst
from load.scenarios.fanout import Fanout
from load.servers import SERVERS
from load.servers.process import cores
from load.servers.promptroom_nodes import DEPLOYMENTS
from load.servers.server import Address
from load.summary import NODES


def on_nodes(document: str, nodes: int) -> Address:
    urls = tuple(f"ws://node-{number}/{document}" for number in range(nodes))
    return Address(urls[0], document, urls)


def test_as_many_people_are_on_each_node_as_on_the_others(rng: Random) -> None:
    people = spread([on_nodes("one", 3)] * 10, rng)
    assert sorted(Counter(each.url for each in people).values()) == [3, 3, 4]
    assert {each.document for each in people} == {"one"}


def test_who_is_on_which_node_is_chance(rng: Random) -> None:
    addresses = [on_nodes(str(number), 3) for number in range(60) for _ in range(3)]
    people = spread(addresses, rng)
    together = Counter(each.document for each in people if each.url.startswith("ws://node-0"))
    assert {*together.values()} >= {1, 2}
    assert [each.document for each in people] == [each.document for each in addresses]


def test_where_there_is_one_node_nothing_is_left_to_chance(rng: Random) -> None:
    addresses = [Address("ws://a", "a"), on_nodes("b", 1)]
    before = rng.getstate()
    assert spread(addresses, rng) == addresses
    assert rng.getstate() == before


@pytest.mark.parametrize(
    ("started_on", "nodes", "of_nodes", "database", "generator"),
    [
        ([0], 3, [set(), set(), set()], set(), set()),
        ([0, 1], 1, [{0}], {1}, {1}),
        ([0, 1], 3, [{0}, {0}, {0}], {1}, {1}),
        ([0, 1, 2, 3], 3, [{0}, {0}, {0}], {1}, {2, 3}),
        ([0, 1, 2, 3, 4], 3, [{0}, {3}, {4}], {1}, {2}),
        ([0, 1, 2, 3, 4], 1, [{0}], {1}, {2, 3, 4}),
    ],
)
def test_each_node_has_a_core_where_there_are_enough(
    started_on: list[int],
    nodes: int,
    of_nodes: list[set[int]],
    database: set[int],
    generator: set[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("load.servers.process._started_on", lambda: started_on)
    found = cores.__wrapped__(nodes)
    assert [{*found.of_node(number)} for number in range(nodes)] == of_nodes
    assert {*found.database} == database
    assert {*found.generator} == generator


def test_every_deployment_is_one_of_ours_and_is_measured() -> None:
    assert {*DEPLOYMENTS} == {*NODES}
    assert {*NODES} <= {server for entry in ENTRIES for server in entry.servers}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "scenario"),
    [
        ("promptroom-3-nodes", Fanout(editors=6, writers=3, rate=20.0, seconds=1.0, warm_up=0.3)),
        ("promptroom-2-nodes", BetweenNodes(documents=4, rate=40.0, seconds=1.0, warm_up=0.3)),
        (
            "promptroom-3-nodes-by-prompt",
            Burst(documents=6, editors=3, writers=2, window=4, seconds=0.5, warm_up=0.3),
        ),
    ],
    ids=["three", "two apart", "by prompt"],
)
async def test_together_they_write_every_edit_once_and_lose_none(name: str, scenario: Scenario) -> None:
    async with SERVERS[name]() as server:
        measurement = await scenario.run(server, seed=1)
    assert measurement.problems == ()
    assert measurement.converged
    assert measurement.lost_acknowledged == 0
    assert measurement.figures["lost_shown"] == 0
    assert 0 < measurement.figures["rows_per_edit"] <= 1
    assert measurement.figures["bus_cpu_us_per_delivery"] >= 0
    assert measurement.figures["messages_per_commit"] > 0.5
