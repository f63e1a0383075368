"""How many nodes, how much of Redis and of PostgreSQL, and how many disks some people need, on paper.

What a node carries is found by simulating some nodes with ever more people, until one of their cores is used as much as
is assumed that it may be. All else is multiplied.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from load.scaling.assumptions import Assumptions
from load.scaling.costs import Costs
from load.scaling.simulation import Load, simulate
from load.scaling.stage import Outcome

# So close to what is assumed is close enough.
_STEPS: Final = 7
_FEWEST, _MOST = 100, 12_800
_GB: Final = 1e9
_DAYS_OF_A_YEAR: Final = 365


@dataclass(frozen=True, slots=True)
class Slice:
    """As much of a deployment as is simulated.

    Args:
        nodes: how many.
        seconds: for how long.
    """

    nodes: int = 12
    seconds: float = 4.0


@dataclass(frozen=True, slots=True)
class Sample:
    """Some nodes that are used as much as they may be.

    Args:
        people: on each node.
        outcome: what happened.
    """

    people: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Plan:
    """What is needed.

    Args:
        sample: of the nodes.
        nodes: how many.
        figures: whatever else, each with its unit in its name.
    """

    sample: Sample
    nodes: int
    figures: Mapping[str, float]


def sample(assumed: Assumptions, costs: Costs, part: Slice, *, by_prompt: bool, seed: int) -> Sample:
    """Find how many people a node carries.

    Args:
        assumed: of people.
        costs: of everything.
        part: of the deployment, that is simulated.
        by_prompt: whether everybody in a prompt is on the same node.
        seed: of every chance.
    """

    def simulated(people: int) -> Outcome:
        return simulate(_load(people, assumed, part, by_prompt=by_prompt), costs, part.seconds, seed)

    few, many = _FEWEST, _MOST
    best = Sample(few, simulated(few))
    for _ in range(_STEPS):
        middle = round(math.sqrt(few * many))
        outcome = simulated(middle)
        if sum(outcome.cpu_shares) / part.nodes <= assumed.most_used:
            few, best = middle, Sample(middle, outcome)
        else:
            many = middle
    return best


def plan(
    assumed: Assumptions, measured: Mapping[str, float], *, by_prompt: bool, part: Slice = Slice(), seed: int = 1
) -> Plan:
    """Work out what is needed.

    Args:
        assumed: of people.
        measured: every figure by name.
        by_prompt: whether everybody in a prompt is on the same node.
        part: of the deployment, that is simulated.
        seed: of every chance.
    """
    costs = Costs.of(measured)
    found = sample(assumed, costs, part, by_prompt=by_prompt, seed=seed)
    nodes = math.ceil(assumed.people / found.people)
    times = assumed.people / (found.people * part.nodes)
    outcome = found.outcome
    rooms = assumed.rooms * (1.0 if by_prompt else _nodes_of_a_prompt(nodes, assumed.people_per_prompt)) / nodes
    per_row = measured["postgres_row_bytes"] + measured["postgres_index_bytes_per_row"]
    room_kb = measured["memory_kb_per_room"] + assumed.text_kb * measured["memory_kb_per_kb_of_typed_text"]
    return Plan(
        found,
        nodes,
        {
            "keys_per_second": assumed.keys,
            "people_per_node": found.people,
            "nodes": nodes,
            "memory_gb_per_node": measured["memory_mb_of_a_node"] / 1e3
            + (rooms * room_kb + found.people * measured["memory_kb_per_person"]) * 1e3 / _GB,
            "published_per_second": outcome.published * times,
            "delivered_to_nodes_per_second": outcome.received * times,
            "redis_cores": outcome.redis_cpu_share * times,
            "commits_per_second": outcome.commits * times,
            "postgres_cores": outcome.database_cpu_share * times
            + rooms * nodes * measured["postgres_us_per_room_and_second"] / 1e6,
            "redis_mb_per_second": outcome.published * times * measured["redis_bytes_per_message"] / 1e6,
            "journal_gb_a_day": assumed.keys_a_day * per_row / _GB,
            "log_gb_a_day": assumed.keys_a_day * measured["postgres_log_bytes_per_row"] / _GB,
            "journal_tb_of_all_prompts": assumed.prompts * assumed.edits_per_prompt * per_row / _GB / 1e3,
            "checkpoints_gb_of_all_prompts": assumed.prompts
            * assumed.edits_per_prompt
            * measured["checkpoint_bytes_per_edit"]
            / _GB,
            "journal_tb_a_year": assumed.keys_a_day * _DAYS_OF_A_YEAR * per_row / _GB / 1e3,
        },
    )


def _load(people: int, assumed: Assumptions, part: Slice, *, by_prompt: bool) -> Load:
    everybody = people * part.nodes
    return Load(
        nodes=part.nodes,
        prompts=everybody // assumed.people_per_prompt,
        people=assumed.people_per_prompt,
        rate=everybody * assumed.typing * assumed.keys_per_second,
        by_prompt=by_prompt,
        # So many that it is not PostgreSQL that is found out about.
        database_cores=part.nodes * 4,
    )


def _nodes_of_a_prompt(nodes: int, people: int) -> float:
    """On how many nodes a prompt is whose people are spread, on average."""
    return nodes * (1 - (1 - 1 / nodes) ** people)
