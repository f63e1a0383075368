"""Which targets are reached, and by how much; and whatever went wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from load.cases import case_of
from load.comparison import Comparison
from load.figures import figure
from load.page.markup import NOTHING, Markup, cell, column, element, joined, row_head, table
from load.page.names import server_name
from load.summary import NODES, OURS, CaseSummary
from load.targets import EVERY_CASE, TARGETS, Target, Verdict, judge


def target_section(cases: Mapping[str, CaseSummary]) -> Markup:
    """Every target, whether it was measured or not."""
    verdicts = {(server, verdict.target): verdict for server in OURS for verdict in judge(cases, server)}
    of_nodes = _worst(verdict for server in NODES for verdict in judge(cases, server))
    head = (
        column("case", kind="words"),
        column("target", kind="words"),
        column("asked for"),
        column("SQLite"),
        column("PostgreSQL"),
        column("nodes"),
    )
    rows = (
        element(
            "tr",
            row_head(_where(target)),
            cell(figure(target.figure).title, kind="words"),
            cell(target.in_words()),
            *(cell(NOTHING) if target.server else _verdict(verdicts.get((server, target))) for server in OURS),
            _verdict(of_nodes.get(target)) if target.server or target.case == EVERY_CASE else cell(NOTHING),
        )
        for target in TARGETS
    )
    return joined(element("h2", "Targets"), table("Targets and what was measured", head, rows))


def problem_section(comparison: Comparison, cases: Mapping[str, CaseSummary]) -> Markup:
    """What went wrong, if anything did."""
    found = [*_problems(comparison, cases)]
    if not found:
        return Markup()
    entries = (element("li", problem) for problem in found)
    return element("div", element("strong", "What went wrong"), element("ul", *entries), class_="problems", role="note")


def _problems(comparison: Comparison, cases: Mapping[str, CaseSummary]) -> Iterator[str]:
    for failure in comparison.failures:
        yield f"{failure.case}, {failure.server}, round {failure.turn}: {failure.what}"
    for case in cases.values():
        for standing in case.standings:
            for problem in standing.problems:
                yield f"{case.case}, {standing.server}: {problem}"
            if not standing.converged:
                yield f"{case.case}, {standing.server}: not everybody ended with the same text"


def _worst(verdicts: Iterable[Verdict]) -> dict[Target, Verdict]:
    """Of each target the verdict with the largest value: of none that several nodes have is more better."""
    found: dict[Target, Verdict] = {}
    for verdict in verdicts:
        before = found.get(verdict.target)
        if before is None or verdict.value > before.value:
            found[verdict.target] = verdict
    return found


def _where(target: Target) -> Markup:
    if target.case == EVERY_CASE:
        return Markup("every case with edits")
    return element("a", case_of(target.case).short, href=f"#{target.case}")


def _verdict(verdict: Verdict | None) -> Markup:
    if verdict is None:
        return cell("not measured", kind="muted")
    value = figure(verdict.target.figure).written(verdict.value)
    beside = f", {server_name(verdict.peer)} allows {_bound(verdict)}" if verdict.peer else ""
    words = element("span", ("✓ " if verdict.reached else "✗ ") + verdict.in_words(), class_=_kind(verdict))
    return cell(words, element("small", value + beside))


def _bound(verdict: Verdict) -> str:
    return figure(verdict.target.figure).written(verdict.bound)


def _kind(verdict: Verdict) -> str:
    return "good" if verdict.reached else "bad"
