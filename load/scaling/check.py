"""The model beside a real deployment: what was predicted of a run, and what the run came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from load.results import Measurement
from load.scaling.costs import Costs
from load.scaling.simulation import Load, simulate
from load.scaling.stage import Outcome
from load.scenarios.rooms import PEOPLE, Rooms
from load.servers.process import cores
from load.servers.promptroom_nodes import Deployment, PromptroomNodes


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure.

    Args:
        title: what it is, with its unit.
        predicted: by the simulation.
        measured: in the run.
    """

    title: str
    predicted: float
    measured: float


async def check(
    nodes: int, prompts: int, rate: float, costs: Costs, seconds: float, seed: int
) -> tuple[Measurement, Sequence[Compared]]:
    """Predict a run, make it, and set the two beside each other.

    Args:
        nodes: of the deployment.
        prompts: with three people in each, spread over the nodes.
        rate: keys a second in all.
        costs: what the prediction is made of.
        seconds: for how long.
        seed: of every random choice.

    Returns:
        The run, and what was compared.
    """
    shared = None if cores(nodes).more else 1
    predicted = simulate(Load(nodes, prompts, PEOPLE, rate, node_cores=shared), costs, seconds * 2, seed)
    async with PromptroomNodes(f"promptroom-{nodes}-nodes", Deployment(nodes)) as server:
        measurement = await Rooms(prompts, rate, seconds).run(server, seed)
    return measurement, list(_compared(predicted, rate, measurement))


def _compared(predicted: Outcome, rate: float, run: Measurement) -> Sequence[Compared]:
    deliveries = run.figures["deliveries_per_second"]
    latencies = sorted([*predicted.here, *predicted.elsewhere])
    found = [
        Compared("CPU of all nodes, cores", sum(predicted.cpu_shares), run.figures["cpu_share"]),
        Compared(
            "CPU of PostgreSQL, cores",
            predicted.database_cpu_share,
            run.figures["database_cpu_us_per_delivery"] * deliveries / 1e6,
        ),
        Compared(
            "CPU of Redis, cores", predicted.redis_cpu_share, run.figures["bus_cpu_us_per_delivery"] * deliveries / 1e6
        ),
        Compared("updates per batch", rate / predicted.batches, run.figures["updates_per_commit"]),
        Compared("messages per batch", predicted.published / predicted.batches, run.figures["messages_per_commit"]),
    ]
    if run.latency_ms is not None:
        found += [
            Compared("p50, ms", _quantile(latencies, 0.5), run.latency_ms.p50),
            Compared("p99, ms", _quantile(latencies, 0.99), run.latency_ms.p99),
        ]
    return found


def _quantile(ordered: Sequence[float], share: float) -> float:
    """In milliseconds."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1e3 if ordered else 0.0
