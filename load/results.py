"""What a run came to, for people and for machines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

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
    def of(cls, seconds: Sequence[float]) -> Spread | None:
        """Sum up values in seconds; nothing, where there are none."""
        if not seconds:
            return None
        ordered = sorted(seconds)
        picked = [ordered[min(len(ordered) * percent // 100, len(ordered) - 1)] for percent in _QUANTILES]
        return cls(*(round(value * 1000, 3) for value in (*picked, ordered[-1])))


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run of one scenario against one server.

    Args:
        scenario: its name, such as `fanout`.
        server: what was measured, such as `promptroom-sqlite`.
        load: what was asked for, each with its name.
        seed: of every random choice.
        latency_ms: what the scenario times: from the instant a key was due to its arrival at somebody else, or until
            somebody had joined or opened; nothing, where it times nothing or nothing arrived.
        figures: whatever else it measured, the unit in the name.
        converged: whether every client, and what the server stores, hold the same text.
        lost_acknowledged: acknowledged edits that were gone after a `kill -9` and a restart; of a server that
            acknowledges nothing, edits that somebody else had been shown. Nothing, where the scenario writes nothing.
        problems: whatever went wrong, in words.
    """

    scenario: str
    server: str
    load: Mapping[str, float]
    seed: int
    latency_ms: Spread | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
    converged: bool = True
    lost_acknowledged: int | None = None
    problems: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether nothing went wrong; what a crash loses is a result, and not counted here."""
        return self.converged and not self.problems

    def as_dict(self) -> dict[str, Any]:
        """What JSON can carry; `from_dict` makes an equal measurement of it."""
        return asdict(self) | {"problems": list(self.problems)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Measurement:
        """Make a measurement of what `as_dict` made.

        Raises:
            TypeError: A field is missing, or there is one too many.
        """
        latency = values.get("latency_ms")
        return cls(
            **{
                **values,
                "latency_ms": None if latency is None else Spread(**latency),
                "problems": tuple(values.get("problems", ())),
            }
        )

    def as_json(self) -> str:
        """One line."""
        return json.dumps(self.as_dict())

    def as_text(self) -> str:
        """One line per figure, to be read in a terminal."""
        asked = ", ".join(f"{value:,.10g} {name.replace('_', ' ')}" for name, value in self.load.items())
        lines = [f"{self.scenario} on {self.server}: {asked}"]
        if self.latency_ms is not None:
            lines += [_line(name, f"{value:,.2f} ms") for name, value in asdict(self.latency_ms).items()]
        lines += [_line(name, f"{value:,.2f}") for name, value in self.figures.items()]
        if self.lost_acknowledged is not None:
            lines.append(_line("lost by kill -9", f"{self.lost_acknowledged:,}"))
        lines.append(_line("converged", "yes" if self.converged else "NO"))
        return "\n".join([*lines, *(f"  problem: {problem}" for problem in self.problems)])


def _line(name: str, value: str) -> str:
    return f"  {name.replace('_', ' '):<32}{value:>16}"
