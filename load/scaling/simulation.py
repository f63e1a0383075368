"""Nodes, Redis and PostgreSQL under people who type, simulated event by event.

Rooms flush, nodes commit, other nodes hear of it through Redis; PostgreSQL has cores, a lock for each prompt, and a
disk to wait for. What is costly enters as `Costs`; everything else is chance with a seed. It has the server's rules
(`server/pace.py`, `persistence/group_commit.py`) without the server.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from load.scaling.costs import Costs
from load.scaling.machines import Database, Line, Node, Redis, Room
from load.scaling.stage import Outcome, Stage


@dataclass(frozen=True, slots=True)
class Load:
    """Who is there, and what they do.

    Args:
        nodes: how many.
        prompts: how many are open.
        people: in each.
        rate: keys a second in all.
        by_prompt: whether everybody in a prompt is on the same node.
        node_cores: how many cores the nodes share; each has one of its own, where it is None.
        database_cores: how many PostgreSQL has.
    """

    nodes: int
    prompts: int
    people: int
    rate: float
    by_prompt: bool = False
    node_cores: int | None = None
    database_cores: int = 1


def simulate(load: Load, costs: Costs, seconds: float, seed: int) -> Outcome:
    """Let people type for a while.

    Args:
        load: who is there.
        costs: what everything costs.
        seconds: for how long; a fifth of that passes before anything is counted.
        seed: of every chance.
    """
    return _Deployment(load, Stage(costs, seconds, Random(seed))).run()


class _Deployment:
    """Everything there is.

    Args:
        load: who is there.
        stage: where.
    """

    def __init__(self, load: Load, stage: Stage) -> None:
        self._load = load
        self._stage = stage
        self._redis = Redis(stage)
        self._database = Database(stage, load.database_cores)
        cores = [Line() for _ in range(load.node_cores or load.nodes)]
        self._nodes = [Node(stage, cores[number % len(cores)], self._database) for number in range(load.nodes)]
        self._places = [self._prompt() for _ in range(load.prompts)]

    def run(self) -> Outcome:
        """Let it happen."""
        if self._load.rate:
            self._stage.at(self._next(0.0), self._key)
        self._stage.play()
        return self._summed_up()

    def _next(self, now: float) -> float:
        return now + self._stage.random.expovariate(self._load.rate)

    def _key(self, now: float) -> None:
        self._stage.random.choice(self._stage.random.choice(self._places)).press(now)
        if (following := self._next(now)) < self._stage.until:
            self._stage.at(following, self._key)

    def _prompt(self) -> list[Room]:
        """For each person in a prompt, the room of the node where that person is."""
        random, costs = self._stage.random, self._stage.costs
        if self._load.by_prompt:
            where = [random.choice(self._nodes)] * self._load.people
        else:
            where = random.choices(self._nodes, k=self._load.people)
        prompt = object()
        rooms = {node: Room(self._stage, node, self._redis, prompt) for node in dict.fromkeys(where)}
        for node, room in rooms.items():
            room.others = [each for each in rooms.values() if each is not room]
            node.idle_cost += costs.room
        for node in where:
            rooms[node].people += 1
            node.idle_cost += costs.person
        return [rooms[node] for node in where]

    def _summed_up(self) -> Outcome:
        seconds, found = self._stage.counted_seconds, self._stage.outcome
        found.cpu_shares = [node.used / seconds + node.idle_cost for node in self._nodes]
        found.database_cpu_share = self._database.used / seconds
        for name in ("wakes", "batches", "commits", "published", "received", "writes"):
            setattr(found, name, getattr(found, name) / seconds)
        found.redis_cpu_share = self._redis.used / seconds
        found.here.sort()
        found.elsewhere.sort()
        return found
