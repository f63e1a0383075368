"""What several nodes come to beside one: the same load, in the same run, on the same machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from load.cases import case_of
from load.figures import TIMES, digits, figure
from load.page.markup import NOTHING, Markup, cell, column, element, joined, row_head, table
from load.page.names import storage_of
from load.summary import NODES, CaseSummary, Ratio

_REFERENCE, *_OTHERS = NODES


def nodes_section(cases: Mapping[str, CaseSummary]) -> Markup:
    """Every case and compared figure in which one node and several were measured; nothing where none was."""
    rows = [row for case in cases.values() for row in _rows(case)]
    if not rows:
        return Markup()
    columns = (column(storage_of(server)) for server in NODES)
    return joined(
        element("h2", "Several nodes beside one"),
        element(
            "p",
            "All on one PostgreSQL and one Redis; what several come to is divided by what one does. CPU is that of all "
            "nodes together. Where a machine has fewer cores than nodes and load need, the nodes share one: several "
            "then do not do more than one, and CPU says how they would scale.",
        ),
        table("Several nodes as multiples of one", (column("what", kind="words"), *columns), rows),
    )


def _rows(case: CaseSummary) -> Iterator[Markup]:
    described = case_of(case.case)
    one = case.standing(_REFERENCE)
    if one is None:
        return
    title = element("a", described.title, href=f"#{case.case}")
    yield element("tr", element("th", title, colspan=str(len(NODES) + 1), scope="rowgroup"), class_="group")
    for name in described.compared:
        if name in one.figures:
            ratios = (case.ratio_to(_REFERENCE, server, name) for server in _OTHERS)
            value = figure(name).written(one.figures[name].middle)
            yield element("tr", row_head(figure(name).title), cell(value), *map(_ratio, ratios))


def _ratio(ratio: Ratio | None) -> Markup:
    if ratio is None:
        return cell(NOTHING)
    value = figure(ratio.figure).written(ratio.ours.middle)
    return cell(f"{digits(ratio.value)} {TIMES}", element("small", value))
