"""What a node's CPU goes into: loads are put on one node and on two, and the costs are those that explain them best.

Counted are turns of the loop after a rest (the kernel says how often the process had nothing to do), updates that came
in, batches that were committed, frames that were written, messages from other nodes, and the seconds for which people
and prompts were there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from time import perf_counter
from typing import Final

from load.scaling.least_squares import explained
from load.scaling.typing_crowd import gathered
from load.servers.promptroom_nodes import Deployment, PromptroomNodes

_CALM_SECONDS: Final = 1.0
_WARM_UP_SECONDS: Final = 2.0

COSTS: Final = (
    "node_us_per_wake",
    "node_us_per_update",
    "node_us_per_batch",
    "node_us_per_write",
    "node_us_per_message",
    "node_us_per_person_and_second",
    "node_us_per_room_and_second",
)


@dataclass(frozen=True, slots=True)
class Setting:
    """A load.

    Args:
        nodes: of the deployment.
        prompts: how many are open.
        people: in each.
        rate: keys a second in all.
    """

    nodes: int
    prompts: int
    people: int
    rate: float


_ROOMS: Final = Setting(2, 100, 3, 300.0)
SETTINGS: Final = tuple(
    Setting(nodes, prompts, people, rate)
    for nodes in (1, 2)
    for prompts, people, rate in (
        (300, 3, 0.0),
        (30, 30, 0.0),
        (100, 3, 50.0),
        (100, 3, 300.0),
        (100, 3, 900.0),
        (10, 20, 100.0),
        (10, 20, 600.0),
        (2, 60, 60.0),
        (2, 60, 600.0),
    )
)


@dataclass(frozen=True, slots=True)
class Observed:
    """What the nodes of a deployment did in a while, all together.

    Args:
        seconds: how long it was.
        cpu_seconds: what they used.
        counted: how often, or for how long, there was what `COSTS` names.
        database_cpu_seconds: what PostgreSQL used.
        bus_bytes: what Redis was sent.
        published: in how many messages.
        commit_seconds: how long a batch waited for its commit, on average.
    """

    seconds: float
    cpu_seconds: float
    counted: tuple[float, ...]
    database_cpu_seconds: float
    bus_bytes: float
    published: float
    commit_seconds: float


async def measure(seconds: float, seed: int) -> Mapping[str, float]:
    """Put all loads on, one after another, and find the costs.

    Args:
        seconds: how long each is measured.
        seed: of every random choice.
    """
    found = [await observed(setting, seconds, seed) for setting in SETTINGS]
    costs = explained([each.counted for each in found], [each.cpu_seconds * 1e6 for each in found])
    explains = [sum(map(_times, costs, each.counted)) / (each.cpu_seconds * 1e6) for each in found]
    busy = [each.commit_seconds for each in found if each.commit_seconds]
    quiet = [each for setting, each in zip(SETTINGS, found, strict=True) if not setting.rate]
    typed = [each for setting, each in zip(SETTINGS, found, strict=True) if setting == _ROOMS]
    return {
        **dict(zip(COSTS, costs, strict=True)),
        "postgres_us_per_room_and_second": sum(each.database_cpu_seconds for each in quiet)
        / sum(each.counted[-1] for each in quiet)
        * 1e6,
        "redis_bytes_per_message": sum(each.bus_bytes for each in typed) / sum(each.published for each in typed),
        "node_cost_explained_at_least": min(explains),
        "node_cost_explained_at_most": max(explains),
        "commit_ms_at_least": min(busy) * 1e3,
        "commit_ms_at_most": max(busy) * 1e3,
    }


async def observed(setting: Setting, seconds: float, seed: int) -> Observed:
    """Put a load on a deployment, and look at its nodes.

    Args:
        setting: the load.
        seconds: for how long, after a warm-up.
        seed: of every random choice.
    """
    random = Random(seed)
    async with PromptroomNodes(f"promptroom-{setting.nodes}", Deployment(setting.nodes)) as server:
        crowd = await gathered(server, setting.prompts, setting.people, random)
        await crowd.type(setting.rate, _WARM_UP_SECONDS, random)
        await asyncio.sleep(_CALM_SECONDS)
        before, wakes, bus_bytes, start = await server.metrics(), server.wakes(), server.bus_bytes(), perf_counter()
        used, database = server.usage(), server.database_usage()
        typed = await crowd.type(setting.rate, seconds, random)
        await asyncio.sleep(max(start + seconds - perf_counter(), 0.0))
        used, database = server.usage().since(used), server.database_usage().since(database)
        wakes, bus_bytes, elapsed = server.wakes() - wakes, server.bus_bytes() - bus_bytes, perf_counter() - start
        after = await server.metrics()
        crowd.leave()
    done = {name: value - before.get(name, 0.0) for name, value in after.items()}
    batches = done["promptroom_flush_edits_count"]
    counted = (
        wakes,
        typed,
        batches,
        done["promptroom_updates_delivered_total"],
        done["promptroom_bus_received_total"],
        setting.prompts * setting.people * elapsed,
        after["promptroom_rooms"] * elapsed,
    )
    return Observed(
        elapsed,
        used.cpu_seconds,
        counted,
        database.cpu_seconds,
        bus_bytes,
        done["promptroom_bus_published_total"],
        done["promptroom_commit_seconds_sum"] / batches if batches else 0.0,
    )


def _times(cost: float, count: float) -> float:
    return cost * count
