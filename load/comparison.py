"""All runs of a comparison, as they are kept in a JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from load.machine import Calm, Machine
from load.results import Measurement

FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Run:
    """One measurement and where in the comparison it stands.

    Args:
        case: the key of its case.
        turn: the number of its round, from 1.
        seconds: how long it took, starting the server included.
        command: what makes it again.
        measurement: what it came to.
    """

    case: str
    turn: int
    seconds: float
    command: str
    measurement: Measurement


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that came to nothing.

    Args:
        case: the key of its case.
        server: against which.
        turn: in which round.
        what: what went wrong, in words.
    """

    case: str
    server: str
    turn: int
    what: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison.

    Args:
        started: when, as ISO 8601 with its offset from UTC.
        seconds: how long it took.
        quick: whether it is a short look, with numbers that are rougher for it.
        machine: on what.
        versions: of the servers and engines, by name.
        before: how busy the machine was before it.
        after: and behind it; its own load counts there.
        runs: in the order in which they were made.
        failures: the runs that came to nothing.
    """

    started: str
    seconds: float
    quick: bool
    machine: Machine
    versions: Mapping[str, str]
    before: Calm
    after: Calm
    runs: tuple[Run, ...]
    failures: tuple[Failure, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing went wrong in any run."""
        return not self.failures and all(run.measurement.is_sound for run in self.runs)

    def as_json(self) -> str:
        """A text that `from_json` reads."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Comparison:
        """Read what `as_json` wrote.

        Raises:
            ValueError: It is of another format, or no JSON.
        """
        values = json.loads(text)
        if values.pop("format", None) != FORMAT:
            raise ValueError(f"not a comparison of format {FORMAT}")
        return cls(
            **{
                **values,
                "machine": Machine(**values["machine"]),
                "before": Calm(**values["before"]),
                "after": Calm(**values["after"]),
                "runs": tuple(map(_run, values["runs"])),
                "failures": tuple(Failure(**failure) for failure in values["failures"]),
            }
        )


def _run(values: Mapping[str, Any]) -> Run:
    return Run(**{**values, "measurement": Measurement.from_dict(values["measurement"])})
