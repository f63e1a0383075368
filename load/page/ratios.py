"""The first thing on the page: what we take or give, as a multiple of what the best of the others does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from load.cases import case_of
from load.figures import TIMES, digits, figure
from load.page.marks import Mark, Scale, axis, dots, ratio_scale
from load.page.markup import NOTHING, Markup, cell, column, element, joined, picture_cell, row_head, table
from load.page.names import server_name
from load.summary import OURS, CaseSummary, Ratio

_GOOD: Final = {"better": "good", "worse": "bad", "even": "muted"}


@dataclass(frozen=True, slots=True)
class _Row:
    case: str
    name: str
    ratios: Mapping[str, Ratio]


def ratio_section(cases: Mapping[str, CaseSummary]) -> Markup:
    """Every case and compared figure in which there is somebody to compare with."""
    rows = [row for case in cases.values() for row in _rows(case)]
    reaches = [ratio.advantage(ratio.ours.middle) for row in rows for ratio in row.ratios.values()]
    scale = ratio_scale(reaches)
    head = (
        column("what", kind="words"),
        element("th", axis(scale, TIMES), scope="col", class_="picture", aria_hidden="true"),
        column("SQLite"),
        column("PostgreSQL"),
        column("best of the others"),
    )
    return joined(
        element("h2", "Beside the best of the others"),
        element(
            "p",
            "Ours divided by that of whichever other server is best in this figure. Of throughput more is better, of "
            "everything else less; the picture has the better side on the right. “Even” means that the rounds of the "
            "two overlap. The others keep nothing but where it says so; ours have every edit on disk before anybody "
            "sees it.",
        ),
        _legend(),
        table("Our figures as multiples of those of the best other server", head, _written(rows, scale)),
    )


def _rows(case: CaseSummary) -> Iterator[_Row]:
    for name in case_of(case.case).compared:
        found = {server: case.ratio(server, name) for server in OURS}
        ratios = {server: ratio for server, ratio in found.items() if ratio is not None}
        if ratios:
            yield _Row(case.case, name, ratios)


def _written(rows: Sequence[_Row], scale: Scale) -> Iterator[Markup]:
    before = ""
    for row in rows:
        if row.case != before:
            title = element("a", case_of(row.case).title, href=f"#{row.case}")
            yield element("tr", element("th", title, colspan="5", scope="rowgroup"), class_="group")
            before = row.case
        peer = next(iter(row.ratios.values()))
        described = figure(row.name)
        yield element(
            "tr",
            row_head(described.title),
            picture_cell(dots(scale, [*_marks(row)])),
            *(_ratio(row.ratios.get(server)) for server in OURS),
            cell(server_name(peer.peer), element("small", described.written(peer.theirs.middle))),
        )


def _marks(row: _Row) -> Iterator[Mark]:
    # The one that is drawn last lies on top.
    for server, kind in zip(reversed(OURS), ("ours hollow", "ours"), strict=True):
        ratio = row.ratios.get(server)
        if ratio is not None:
            ends = sorted((ratio.advantage(ratio.ours.least), ratio.advantage(ratio.ours.most)))
            yield Mark(ratio.advantage(ratio.ours.middle), ends[0], ends[1], kind)


def _ratio(ratio: Ratio | None) -> Markup:
    if ratio is None:
        return cell(NOTHING)
    words = element("span", ratio.in_words, class_=_GOOD[ratio.in_words])
    return cell(f"{digits(ratio.value)} {TIMES} ", words)


def _legend() -> Markup:
    entries = (
        ('<svg width="14" height="14"><circle class="dot ours" cx="7" cy="7" r="5"/></svg> Promptroom on SQLite'),
        ('<svg width="14" height="14"><circle class="dot ours hollow" cx="7" cy="7" r="5"/></svg> on PostgreSQL'),
        ('<svg width="14" height="14"><line class="one" x1="7" y1="0" x2="7" y2="14"/></svg> the best of the others'),
    )
    return element("div", *(element("span", Markup(entry)) for entry in entries), class_="legend", aria_hidden="true")
