"""The stage of a simulation: what happens in the order of time, what everything costs, and what is counted."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from load.scaling.costs import Costs

_WARM_UP: Final = 0.2


@dataclass(slots=True)
class Outcome:
    """What happened, by the second where it is counted.

    Args:
        cpu_shares: of each node, with what people and prompts cost that do nothing.
        database_cpu_share: of PostgreSQL, of one core.
        redis_cpu_share: of Redis.
        wakes: turns after a rest, of all nodes.
        batches: that were committed.
        commits: transactions that PostgreSQL made of these.
        published: messages between nodes.
        received: the same, counted at each node that got one: the one that sent it, too.
        writes: frames written to people.
        here: seconds from each key to people on its own node, in order.
        elsewhere: the same to people on other nodes.
    """

    cpu_shares: list[float] = field(default_factory=list)
    database_cpu_share: float = 0.0
    redis_cpu_share: float = 0.0
    wakes: float = 0.0
    batches: float = 0.0
    commits: float = 0.0
    published: float = 0.0
    received: float = 0.0
    writes: float = 0.0
    here: list[float] = field(default_factory=list)
    elsewhere: list[float] = field(default_factory=list)


class Stage:
    """Where everything happens.

    Args:
        costs: what everything costs.
        seconds: how long it lasts; a fifth of that passes before anything is counted.
        random: every chance.
    """

    def __init__(self, costs: Costs, seconds: float, random: Random) -> None:
        self.costs = costs
        self.random = random
        self.until = seconds
        self.outcome = Outcome()
        self._counted_from = seconds * _WARM_UP
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()

    @property
    def counted_seconds(self) -> float:
        """For how long is counted."""
        return self.until - self._counted_from

    def at(self, when: float, what: Callable[[float], None]) -> None:
        """Have something happen."""
        heapq.heappush(self._events, (when, next(self._order), what))

    def counts(self, now: float) -> bool:
        """Whether what happens now is counted."""
        return self._counted_from <= now <= self.until

    def play(self) -> None:
        """Let everything happen, and whatever comes of it."""
        while self._events:
            when, _, what = heapq.heappop(self._events)
            what(when)
