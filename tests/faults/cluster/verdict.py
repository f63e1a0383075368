"""What came out of one round, and the bounds that it is held against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.faults.cluster.checker import Finding, Kind
from tests.faults.cluster.timing import NEVER

MIB = 1024 * 1024

MEMORY_BYTES = 64 * MIB
"""By how much a node that lives on may have grown over all the rounds of a session."""

DESCRIPTORS = 40
"""How many more files and sockets it may have open: everybody may have moved to it, and its pools may be full."""


CALM_SECONDS = 1.5
"""How far anybody may be behind when all is well again; a node that hears nothing looks every 2 s."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a row of the catalogue promises beside that nothing is lost; None where it promises nothing.

    Args:
        typing_again: Seconds until everybody is acknowledged something that they typed after the fault.
        pause: Seconds that anybody waits for an acknowledgement.
        behind: Seconds that anybody who is connected is behind what is committed.
        caught_up: Seconds after the healing until all that was typed before is acknowledged and shown everywhere.
        stored_twice: Whether the fault may leave an edit in the journal twice, because a commit was not answered.
    """

    typing_again: float | None = None
    pause: float | None = None
    behind: float | None = None
    caught_up: float | None = None
    stored_twice: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """What one round came to; times in seconds.

    Args:
        tokens: How many were typed.
        lost: How many that were acknowledged or seen are missing, or were stored only later.
        doubled: How many are there more often than once.
        stored_twice: How many writes are in the journal a second time.
        typing_again: As in `Bounds`.
        pause: As in `Bounds`.
        behind: As in `Bounds`.
        caught_up: As in `Bounds`.
        calm: How far anybody was behind when all was well again.
    """

    tokens: int
    lost: int
    doubled: int
    stored_twice: int
    typing_again: float
    pause: float
    behind: float
    caught_up: float
    calm: float = 0.0


@dataclass(frozen=True, slots=True)
class Grown:
    """By how much a node has grown since it was started: bytes of memory, files and sockets."""

    memory: int
    descriptors: int


def count_lost(findings: Sequence[Finding]) -> int:
    """Return how many promised tokens were not kept."""
    lost = {Kind.LOST, Kind.FALSE_PROMISE}
    return sum(finding.count for finding in findings if finding.kind in lost)


def count(findings: Sequence[Finding], kind: Kind) -> int:
    """Return how many tokens or rows the findings of a kind are about."""
    return sum(finding.count for finding in findings if finding.kind is kind)


def check_bounds(figures: Figures, bounds: Bounds) -> list[Finding]:
    """Hold the times of a round against what is promised."""
    times = {
        "typing again": (figures.typing_again, bounds.typing_again),
        "the longest pause": (figures.pause, bounds.pause),
        "farthest behind": (figures.behind, bounds.behind),
        "caught up after healing": (figures.caught_up, bounds.caught_up),
        "farthest behind when all is well again": (figures.calm, CALM_SECONDS),
    }
    findings = [
        Finding(Kind.SLOW, what, "never" if took == NEVER else f"{took:.2f} s, and {most:g} s are promised")
        for what, (took, most) in times.items()
        if most is not None and took > most
    ]
    if figures.stored_twice and not bounds.stored_twice:
        about = f"{figures.stored_twice} writes, and no commit went unanswered"
        findings.append(Finding(Kind.STORED_TWICE, "journal", about, figures.stored_twice))
    return findings


def check_growth(grown: Mapping[str, Grown]) -> list[Finding]:
    """Hold what the nodes that lived on have open and in memory against the tolerances."""
    findings = []
    for node, by in grown.items():
        if by.memory > MEMORY_BYTES:
            about = f"{by.memory / MIB:.0f} MiB more memory, and {MEMORY_BYTES // MIB} are tolerated"
            findings.append(Finding(Kind.GROWN, node, about))
        if by.descriptors > DESCRIPTORS:
            about = f"{by.descriptors} more files and sockets, and {DESCRIPTORS} are tolerated"
            findings.append(Finding(Kind.GROWN, node, about))
    return findings
