"""A cluster of one node and no Redis: it starts, outlives what is done to it, and ends."""

from pathlib import Path
from random import Random

import pytest

from tests.faults.cluster.cluster import cluster
from tests.support.postgres import PostgresServer

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]


async def test_a_node_is_killed_paused_cut_off_and_healthy_again(
    postgres: PostgresServer, tmp_path: Path, rng: Random
) -> None:
    async with cluster(postgres, None, nodes=1, tmp_path=tmp_path, rng=rng) as alone:
        node = alone.nodes[0]
        before = node.descriptors(), node.memory()
        assert min(before) > 0
        node.kill()
        assert node.crashed
        await alone.heal()
        await alone.healthy()
        node.to_postgres.cut()
        assert not (await node.readiness()).is_healthy
        await alone.heal()
        await alone.healthy()
        node.pause()
        assert (await node.readiness()).status == ""
        await alone.heal()
        await alone.healthy()
        assert await node.terminate() == 0
