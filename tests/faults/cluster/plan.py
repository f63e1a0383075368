"""What is done to a cluster in one session, decided by a seed before anything runs.

A session is a number of rounds, each with faults of its own and everything checked at its end. When a fault comes is
said in tokens that were typed, because those are there on a slow machine too. A plan can be written to a file and read
back, and then does the same again.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

NODES = 3

# Everybody in every other round.
_TYPING = (7, 7, 7, 4, 3, 2)
# In one round of four a node always has a commit or a message on its way; not for so long that the text grows large.
_PACES = (1, 1, 1, 4)
_LONGEST_HURRY_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Step:
    """One fault.

    Args:
        after: How many tokens everybody together has typed in the round before it.
        fault: Which, as `tests.faults.cluster.faults` names it.
        nodes: The nodes that it is done to, by number, in order; none where it is done to what they share.
        seconds: How long it lasts.
        detail: What else is said of it, such as a direction or a point of the server's way.
        count: How many of what it is about.
    """

    after: int
    fault: str
    nodes: tuple[int, ...] = ()
    seconds: float = 0.0
    detail: str = ""
    count: int = 0

    @property
    def target(self) -> str:
        """What it is done to, for people."""
        nodes = ", ".join(f"node {node}" for node in self.nodes)
        return " ".join(part for part in (nodes, self.detail, f"times {self.count}" if self.count else "") if part)


@dataclass(frozen=True, slots=True)
class Round:
    """Some faults, and a check.

    Args:
        row: The row of the catalogue that it belongs to.
        number: Which of that row's rounds it is, from 0.
        steps: The faults; one may begin before another has ended.
        tokens: How many tokens are typed after the last fault, at least.
        typing: How many of the typists type. The others look: a node where nobody types hears of the others' edits
            from them alone.
        pace: How many times as fast as usual they type.
    """

    row: str
    number: int
    steps: tuple[Step, ...]
    tokens: int
    typing: int
    pace: int = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole session; `seed` made it."""

    seed: int
    rounds: tuple[Round, ...]

    def to_json(self) -> str:
        """Write the plan down."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """Read a plan that was written down."""
        said: dict[str, Any] = json.loads(text)
        return cls(said["seed"], tuple(_round(one) for one in said["rounds"]))


Recipe = Callable[[Random, int], tuple[Step, ...]]
"""Makes the steps of a round from a source of chance and the round's number."""


def make_round(row: str, number: int, recipe: Recipe, *, seed: int, scale: float = 1.0) -> Round:
    """Return a round of a row; the same one for the same number and seed, whatever else is in the session.

    Args:
        row: The row's name.
        number: Which of its rounds, from 0.
        recipe: The row's.
        seed: Of everything.
        scale: By what the durations are multiplied.
    """
    random = Random(f"{seed} {row} {number}")
    steps = tuple(
        Step(step.after, step.fault, step.nodes, round(step.seconds * scale, 3), step.detail, step.count)
        for step in recipe(random, number)
    )
    typing = random.choice(_TYPING)
    pace = random.choice(_PACES) if sum(step.seconds for step in steps) < _LONGEST_HURRY_SECONDS else 1
    return Round(row, number, steps, tokens=random.randint(6, 12) * typing * pace, typing=typing, pace=pace)


def _round(said: dict[str, Any]) -> Round:
    steps = tuple(Step(**{**step, "nodes": tuple(step["nodes"])}) for step in said["steps"])
    return Round(**{**said, "steps": steps})
