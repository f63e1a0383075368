"""One card for each case: every server with every figure, its rounds and a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from load.cases import case_of
from load.figures import LATENCIES, LOST, digits, figure
from load.page.marks import Scale, axis, bar, decade_scale, quantiles
from load.page.markup import NOTHING, Markup, cell, column, element, joined, picture_cell, row_head, table
from load.page.names import full_name, kind_of
from load.summary import CaseSummary, Standing, Values

_QUANTILES = LATENCIES[:3]


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which figures stand where: the main one with a bar, times with an axis, some more, and the rest below."""

    main: str
    most: float
    times: Scale | None
    beside: tuple[str, ...]
    below: tuple[str, ...]


def card_section(cases: Mapping[str, CaseSummary]) -> Markup:
    """All cases."""
    return joined(
        element("h2", "Figures"),
        element(
            "p",
            "The median over the rounds, with the least and the most below it. The bar of a time reaches from the "
            "median to the 99th of a hundred, with a dot at the 95th.",
        ),
        *(_card(case) for case in cases.values()),
    )


def _card(case: CaseSummary) -> Markup:
    described = case_of(case.case)
    asked = ", ".join(f"{value:,.10g} {name.replace('_', ' ')}" for name, value in case.asked.items())
    return element(
        "section",
        element("h3", described.title),
        element("p", described.about, class_="muted"),
        *(_tables(case) if case.standings else [element("p", "No run came to anything.")]),
        element("p", element("small", asked, Markup("<br>"), element("code", case.command)), class_="muted"),
        class_="card",
        id=case.case,
    )


def _tables(case: CaseSummary) -> Iterator[Markup]:
    layout = _layout(case)
    title = case_of(case.case).title
    yield table(title, [*_head(layout)], (_row(standing, layout) for standing in case.standings))
    if layout.below:
        head = (column("server", kind="words"), *map(_title, layout.below))
        rows = (
            element(
                "tr",
                row_head(full_name(standing.server)),
                *(_figure(name, standing.figures.get(name)) for name in layout.below),
                class_=kind_of(standing),
            )
            for standing in case.standings
        )
        below = table(f"{title}: more figures", head, rows)
        yield element("details", element("summary", "More figures"), below)


def _layout(case: CaseSummary) -> _Layout:
    there = dict.fromkeys(name for standing in case.standings for name in standing.figures)
    compared = case_of(case.case).compared
    main = compared[0] if compared[0] in there and compared[0] not in LATENCIES else ""
    timed = [each.figures[name].middle for each in case.standings for name in _QUANTILES if name in each.figures]
    beside = [name for name in (*_QUANTILES, *compared[:2], LOST) if name in there and name != main]
    return _Layout(
        main=main,
        most=max((each.figures[main].most for each in case.standings if main in each.figures), default=0.0),
        times=decade_scale(timed) if timed else None,
        beside=tuple(dict.fromkeys(beside)),
        below=tuple(name for name in dict.fromkeys((*LATENCIES, *compared, *there)) if name not in {main, *beside}),
    )


def _head(layout: _Layout) -> Iterator[Markup]:
    yield column("server", kind="words")
    if layout.main:
        yield element("th", scope="col", class_="picture", aria_hidden="true")
        yield _title(layout.main)
    if layout.times is not None:
        yield element("th", axis(layout.times, ""), scope="col", class_="picture", aria_hidden="true")
    yield from map(_title, layout.beside)
    yield column("same text")


def _row(standing: Standing, layout: _Layout) -> Markup:
    kind = kind_of(standing)
    cells = [row_head(full_name(standing.server))]
    if layout.main:
        values = standing.figures.get(layout.main)
        drawn = bar(values.middle, layout.most, values.least, values.most, kind) if values else Markup()
        cells += [picture_cell(drawn), _figure(layout.main, values)]
    if layout.times is not None:
        cells.append(picture_cell(_times(standing, layout.times)))
    cells += [_figure(name, standing.figures.get(name)) for name in layout.beside]
    same = element("span", "yes") if standing.is_sound else element("span", "no", class_="bad")
    return element("tr", *cells, cell(same), class_=kind)


def _times(standing: Standing, scale: Scale) -> Markup:
    found: Sequence[Values | None] = [standing.figures.get(name) for name in _QUANTILES]
    p50, p95, p99 = (values.middle if values else None for values in found)
    if p50 is None or p95 is None or p99 is None:
        return Markup()
    return quantiles(scale, p50, p95, p99, kind_of(standing))


def _figure(name: str, values: Values | None) -> Markup:
    if values is None:
        return cell(NOTHING)
    scale = figure(name).scale
    if name == LOST:
        return cell(element("span", digits(values.middle), class_="bad" if values.middle else "good"))
    if values.rounds == 1:
        return cell(digits(values.middle * scale))
    reach = f"{digits(values.least * scale)} to {digits(values.most * scale)}"
    return cell(digits(values.middle * scale), element("small", reach))


def _title(name: str) -> Markup:
    described = figure(name)
    return column(described.title, *((element("small", described.unit),) if described.unit else ()))
