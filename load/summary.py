"""A comparison summed up: of every figure of every case and server the median over the rounds, and how far it moved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from load.comparison import Comparison, Failure, Run
from load.figures import LOST, figure, values_of

# How far apart two runs of the same may lie on a machine that has other things to do.
_IN_DOUBT: Final = 0.1

OURS: Final = ("promptroom-sqlite", "promptroom-postgres")
NODES: Final = ("promptroom-1-node", "promptroom-2-nodes", "promptroom-3-nodes", "promptroom-3-nodes-by-prompt")
"""Ours too, but compared with each other only: the first is what the others are multiples of."""


@dataclass(frozen=True, slots=True)
class Values:
    """One figure over the rounds.

    Args:
        middle: the median.
        least: the smallest.
        most: the largest.
        rounds: how many there are.
    """

    middle: float
    least: float
    most: float
    rounds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Values:
        """Sum up at least one value."""
        return cls(median(values), min(values), max(values), len(values))

    @property
    def noise(self) -> float | None:
        """How far the rounds lie apart, as a share of the median; nothing of a single round or around zero."""
        return (self.most - self.least) / self.middle if self.rounds > 1 and self.middle else None


@dataclass(frozen=True, slots=True)
class Ratio:
    """One of our figures beside that of a peer.

    Args:
        figure: which one.
        peer: whose.
        ours: what we came to.
        theirs: what the peer came to.
    """

    figure: str
    peer: str
    ours: Values
    theirs: Values

    @property
    def value(self) -> float:
        """Ours over theirs."""
        return self.ours.middle / self.theirs.middle

    @property
    def is_clear(self) -> bool:
        """Whether no round of the one reaches into the rounds of the other; of single rounds, a tenth is in doubt."""
        if min(self.ours.rounds, self.theirs.rounds) == 1 and abs(self.value - 1) < _IN_DOUBT:
            return False
        return self.ours.most < self.theirs.least or self.theirs.most < self.ours.least

    @property
    def in_words(self) -> str:
        """Who is better, if the noise lets anybody say so."""
        if not self.is_clear:
            return "even"
        return "better" if (self.value > 1) == figure(self.figure).more_is_better else "worse"

    def advantage(self, ours: float) -> float:
        """How many times better than the peer a value of ours is; below 1 it is worse."""
        quotient = ours / self.theirs.middle
        if figure(self.figure).more_is_better:
            return quotient
        return 1 / quotient if quotient else float("inf")


@dataclass(frozen=True, slots=True)
class Standing:
    """One server in one case.

    Args:
        server: its name.
        figures: by name.
        converged: whether every client and the storage held the same text in every round.
        problems: whatever went wrong in any round, each once.
    """

    server: str
    figures: Mapping[str, Values]
    converged: bool
    problems: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Whether its figures may be compared with: nothing went wrong."""
        return self.converged and not self.problems

    @property
    def is_ours(self) -> bool:
        """Whether it is one of ours."""
        return self.server in OURS or self.server in NODES


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """All servers in one case.

    Args:
        case: its key.
        asked: the load, by name.
        command: what makes a run of it, with the first server.
        standings: ours first, then the others in the order in which they were measured.
        failures: the runs that came to nothing.
    """

    case: str
    asked: Mapping[str, float]
    command: str
    standings: tuple[Standing, ...]
    failures: tuple[Failure, ...]

    def standing(self, server: str) -> Standing | None:
        """How a server stands, if it was measured."""
        return next((each for each in self.standings if each.server == server), None)

    def best_peer(self, name: str) -> Standing | None:
        """The best of the others in one figure; one that did not deliver everything is none of them."""
        peers = [each for each in self.standings if not each.is_ours and each.is_sound and name in each.figures]
        better = max if figure(name).more_is_better else min
        return better(peers, key=lambda each: each.figures[name].middle) if peers else None

    def ratio(self, server: str, name: str) -> Ratio | None:
        """One of our figures beside that of the best peer; nothing where either is missing or zero."""
        ours, peer = self.standing(server), self.best_peer(name)
        return _ratio(name, ours, peer)

    def ratio_to(self, reference: str, server: str, name: str) -> Ratio | None:
        """A figure of several of our nodes beside that of the reference; nothing where either is missing or zero."""
        return _ratio(name, self.standing(server), self.standing(reference))


def _ratio(name: str, ours: Standing | None, peer: Standing | None) -> Ratio | None:
    if ours is None or peer is None or name not in ours.figures or name not in peer.figures:
        return None
    return Ratio(name, peer.server, ours.figures[name], peer.figures[name]) if peer.figures[name].middle else None


def sum_up(comparison: Comparison) -> dict[str, CaseSummary]:
    """Every case by its key, in the order in which they were measured first."""
    runs: defaultdict[str, list[Run]] = defaultdict(list)
    for run in comparison.runs:
        runs[run.case].append(run)
    for failure in comparison.failures:
        runs.setdefault(failure.case, [])
    return {case: _case(case, of_case, comparison.failures) for case, of_case in runs.items()}


def noises(cases: Iterable[CaseSummary], name: str) -> list[float]:
    """How far the rounds of one figure lie apart, for every case and server, the calmest first."""
    standings = (standing for case in cases for standing in case.standings)
    values = (standing.figures[name].noise for standing in standings if name in standing.figures)
    return sorted(noise for noise in values if noise is not None)


def _case(case: str, runs: Sequence[Run], failures: Sequence[Failure]) -> CaseSummary:
    names = dict.fromkeys(run.measurement.server for run in runs)
    first = (*OURS, *NODES)
    ordered = [*(name for name in first if name in names), *(name for name in names if name not in first)]
    return CaseSummary(
        case=case,
        asked=runs[0].measurement.load if runs else {},
        command=runs[0].command if runs else "",
        standings=tuple(_standing(name, [run for run in runs if run.measurement.server == name]) for name in ordered),
        failures=tuple(failure for failure in failures if failure.case == case),
    )


def _standing(server: str, runs: Sequence[Run]) -> Standing:
    found: defaultdict[str, list[float]] = defaultdict(list)
    for run in runs:
        for name, value in values_of(run.measurement).items():
            found[name].append(value)
    figures = {name: Values.of(values) for name, values in found.items()}
    if LOST in found:
        # Of losses nothing but their sum says anything.
        figures[LOST] = Values(sum(found[LOST]), min(found[LOST]), max(found[LOST]), len(found[LOST]))
    return Standing(
        server=server,
        figures=figures,
        converged=all(run.measurement.converged for run in runs),
        problems=tuple(dict.fromkeys(problem for run in runs for problem in run.measurement.problems)),
    )
