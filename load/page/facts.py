"""What it comes to in a few numbers, and where and how quietly it was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import median
from typing import Final

from load.comparison import Comparison
from load.figures import LOST, TIMES, digits, figure
from load.page.markup import Markup, cell, column, element, joined, row_head, table
from load.page.names import server_name
from load.summary import OURS, CaseSummary, noises, sum_up
from load.targets import judge

_NOISE: Final = ("cpu_us_per_delivery", "updates_per_second", "p50_ms", "p99_ms")


def fact_section(cases: Mapping[str, CaseSummary]) -> Markup:
    """The numbers to take away."""
    facts = (element("div", element("dt", what), element("dd", *value)) for what, value in _facts(cases))
    return element("dl", *facts, class_="facts")


def machine_section(comparison: Comparison) -> Markup:
    """The machine, and how far the rounds lie apart."""
    rows = (element("tr", row_head(what), cell(value, kind="words")) for what, value in _machine(comparison))
    return joined(
        element("h2", "Where and how quietly"),
        table("The machine", (column("what", kind="words"), column("value", kind="words")), rows),
        element("h3", "Noise"),
        element("p", "How far the rounds of one case on one server lie apart, as a share of their median."),
        table("Noise", (column("figure", kind="words"), column("typical"), column("at worst")), _noise(comparison)),
    )


def _facts(cases: Mapping[str, CaseSummary]) -> Iterator[tuple[str, tuple[str, ...]]]:
    verdicts = judge(cases, OURS[0])
    if verdicts:
        reached = sum(verdict.reached for verdict in verdicts)
        yield "Targets reached", (f"{reached} of {len(verdicts)}", element("small", "on SQLite"))
    standings = [standing for case in cases.values() for standing in case.standings if LOST in standing.figures]
    if standings:
        lost = {
            ours: sum(each.figures[LOST].middle for each in standings if each.is_ours is ours) for ours in (True, False)
        }
        yield "Edits lost by kill -9", (digits(lost[True]), element("small", f"the others: {digits(lost[False])}"))
    burst = cases["burst"].ratio(OURS[0], "updates_per_second") if "burst" in cases else None
    if burst is not None:
        beside = element("small", f"the updates a second of {server_name(burst.peer)}")
        yield "In a burst", (f"{digits(burst.value)} {TIMES}", beside)
    apart = noises(cases.values(), _NOISE[0])
    if apart:
        worst = element("small", f"between rounds, typically; {_percent(apart[-1])} at worst")
        yield "Noise of CPU per delivery", (_percent(median(apart)), worst)


def _machine(comparison: Comparison) -> Iterator[tuple[str, str]]:
    machine, before, after = comparison.machine, comparison.before, comparison.after
    yield "Processor", f"{machine.processor}, {machine.cores} cores: one for the server, the others for the load"
    yield "Memory", f"{digits(machine.memory_gb)} GB"
    yield "System", machine.system
    yield "Python", machine.python
    if machine.node:
        yield "Node", machine.node
    yield from comparison.versions.items()
    yield "Load average before and after", f"{before.load_average:.2f}, {after.load_average:.2f}"
    stolen = after.stolen_seconds - before.stolen_seconds
    share = stolen / (comparison.seconds * machine.cores) if comparison.seconds else 0.0
    yield "Taken by other machines on the same hardware", f"{share * 100:.1f} % of the core time"


def _noise(comparison: Comparison) -> Iterator[Markup]:
    cases = sum_up(comparison)
    for name in _NOISE:
        apart = noises(cases.values(), name)
        if apart:
            yield element("tr", row_head(figure(name).title), cell(_percent(median(apart))), cell(_percent(apart[-1])))


def _percent(share: float) -> str:
    return f"{digits(share * 100)} %"
