"""What our server has to reach, and whether a comparison says that it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from load.figures import LOST, TIMES, digits, figure
from load.summary import CaseSummary

BEST_PEER: Final = "best peer"
EVERY_CASE: Final = "every case"


@dataclass(frozen=True, slots=True)
class Target:
    """A bound.

    Args:
        case: the key of the case, or every case.
        figure: which figure of it.
        bound: the most it may be, or the least where more is better; a multiple, where there is something to compare.
        against: the peer whose figure is multiplied, the best one, or nothing for an absolute bound.
        server: who has to reach it, where it is not every server of ours.
    """

    case: str
    figure: str
    bound: float
    against: str = ""
    server: str = ""

    def in_words(self) -> str:
        """What is asked, with its sign."""
        described = figure(self.figure)
        sign = "≥" if described.more_is_better else "≤"
        if self.against:
            return f"{sign} {self.bound:g} {TIMES} {self.against}"
        return "none" if self.bound == 0 else f"{sign} {self.bound * described.scale:,g} {described.unit}".rstrip()


TARGETS: Final = (
    Target("burst", "updates_per_second", 2, "hocuspocus"),
    Target("burst", "updates_per_second", 10, "y-websocket"),
    Target("burst", "cpu_us_per_delivery", 0.4),
    Target("fanout-busy", "cpu_us_per_delivery", 0.75, BEST_PEER),
    Target("fanout-busy", "p99_ms", 8),
    Target("fanout-calm", "cpu_us_per_delivery", 1, BEST_PEER),
    Target("observers-50", "cpu_us_per_delivery", 0.9, BEST_PEER),
    Target("observers-250", "cpu_us_per_delivery", 0.8, BEST_PEER),
    Target("presence", "p95_ms", 100),
    Target("presence", "edit_p99_ms", 20),
    Target("join-storm", "p50_ms", 1_000),
    Target("join-storm", "memory_above_idle_mb", 300),
    Target("rooms", "p99_ms", 10),
    Target("idle", "memory_kb_per_connection", 30),
    Target("idle", "cpu_share", 0.05),
    Target("cold-open", "p99_ms", 50),
    Target("reconnect", "all_synced_seconds", 5),
    Target("between-nodes", "p99_ms", 15, server="promptroom-2-nodes"),
    Target(EVERY_CASE, LOST, 0),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target and what was measured.

    Args:
        target: what was asked.
        server: which of ours was measured.
        value: its median over the rounds.
        peer: whose figure the bound was made of; empty for an absolute one.
        bound: what the value had to keep to.
    """

    target: Target
    server: str
    value: float
    peer: str
    bound: float

    @property
    def reached(self) -> bool:
        """Whether the value keeps to the bound."""
        more_is_better = figure(self.target.figure).more_is_better
        return self.value >= self.bound if more_is_better else self.value <= self.bound

    @property
    def margin(self) -> float | None:
        """How far the value is from the bound, as a share of it; positive on the good side, nothing around zero."""
        if not self.bound:
            return None
        distance = (self.value - self.bound) / self.bound
        return distance if figure(self.target.figure).more_is_better else -distance

    def in_words(self) -> str:
        """Whether it is reached, and by how much."""
        if self.margin is None:
            return "reached" if self.reached else f"missed: {digits(self.value)}"
        share = f"{abs(self.margin) * 100:.0f} %"
        return f"reached, {share} to spare" if self.reached else f"missed by {share}"


def judge(cases: Mapping[str, CaseSummary], server: str) -> list[Verdict]:
    """Every target of a server of which there is a figure, in the order of the list."""
    asked = [target for target in TARGETS if target.server in {"", server}]
    return [verdict for target in asked for verdict in _verdicts(target, cases, server)]


def _verdicts(target: Target, cases: Mapping[str, CaseSummary], server: str) -> Iterator[Verdict]:
    if target.case == EVERY_CASE:
        losses = [case.standing(server) for case in cases.values()]
        values = [each.figures[target.figure].middle for each in losses if each and target.figure in each.figures]
        if values:
            yield Verdict(target, server, sum(values), "", target.bound)
        return
    case = cases.get(target.case)
    ours = case.standing(server) if case else None
    if case is None or ours is None or target.figure not in ours.figures:
        return
    value = ours.figures[target.figure].middle
    if not target.against:
        yield Verdict(target, server, value, "", target.bound)
        return
    peer = case.best_peer(target.figure) if target.against == BEST_PEER else case.standing(target.against)
    if peer is not None and target.figure in peer.figures:
        yield Verdict(target, server, value, peer.server, target.bound * peer.figures[target.figure].middle)
