"""What a run came to, for people and for machines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

_QUANTILES: Final = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class Spread:
    """How a quantity was distributed over a run, in milliseconds.

    Args:
        p50: half of the values were at most this.
        p95: 95 of 100 were.
        p99: 99 of 100 were.
        longest: all were.
    """

    p50: float
    p95: float
    p99: float
    longest: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread:
        """Sum up values in seconds; of none, zeros."""
        ordered = sorted(seconds) or [0.0]
        picked = [ordered[min(len(ordered) * percent // 100, len(ordered) - 1)] for percent in _QUANTILES]
        return cls(*(round(value * 1000, 3) for value in (*picked, ordered[-1])))


@dataclass(frozen=True, slots=True)
class Result:
    """One run.

    Args:
        scenario: its name.
        load: what was asked for.
        lost: characters that somebody should have seen and did not, or documents that did not come.
        converged: whether everybody ended with the same text.
        milliseconds: what the scenario times.
        figures: whatever else it measured, the unit in the name.
    """

    scenario: str
    load: dict[str, float]
    lost: int
    converged: bool
    milliseconds: Spread | None = None
    figures: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    def as_text(self) -> str:
        """One line per figure, to be read in a terminal."""
        asked = ", ".join(f"{value:,.10g} {name}" for name, value in self.load.items())
        lines = [f"{self.scenario}: {asked}"]
        if self.milliseconds is not None:
            lines += [f"  {name:<28}{value:>12,.2f} ms" for name, value in asdict(self.milliseconds).items()]
        lines += [f"  {name.replace('_', ' '):<28}{value:>12,.2f}" for name, value in self.figures.items()]
        lines += [f"  {'lost':<28}{self.lost:>12,}", f"  {'converged':<28}{'yes' if self.converged else 'NO':>12}"]
        return "\n".join(lines)
