"""Small pictures that stand in a row of a table, beside the numbers they show; drawn in the colours of the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final

from load.page.markup import Markup, element, joined

_TIMES_WIDTH: Final = 200
_RATIOS_WIDTH: Final = 340
BAR_WIDTH: Final = 110
HEIGHT: Final = 30
AXIS_HEIGHT: Final = 22
_MARGIN: Final = 18
_MIDDLE: Final = HEIGHT / 2
_RADIUS: Final = 5


@dataclass(frozen=True, slots=True)
class Scale:
    """A logarithmic axis.

    Args:
        least: the value at its left end.
        most: the value at its right end.
        ticks: where its lines are.
        width: how long it is, in pixels.
    """

    least: float
    most: float
    ticks: tuple[float, ...]
    width: int

    def place(self, value: float) -> float:
        """Where a value stands, in pixels; one beyond an end stands at the end."""
        inside = min(max(value, self.least), self.most)
        share = log10(inside / self.least) / log10(self.most / self.least)
        return round(_MARGIN + share * (self.width - 2 * _MARGIN), 1)


@dataclass(frozen=True, slots=True)
class Mark:
    """A value on an axis, and how far it reached.

    Args:
        value: where the dot is.
        least: where the line through it begins.
        most: where it ends.
        kind: the class it is drawn in.
    """

    value: float
    least: float
    most: float
    kind: str


def ratio_scale(values: Sequence[float]) -> Scale:
    """An axis of ratios around 1, with a line for every doubling, that holds the values."""
    widest = max([2.0, *(max(value, 1 / value) for value in values if value > 0)])
    doublings = min(ceil(log10(widest) / log10(2)), 7)
    step = 1 if doublings <= 3 else 2  # noqa: PLR2004 - more labels than seven touch each other
    ticks = tuple(2.0**power for power in range(-doublings, doublings + 1) if power % step == 0)
    return Scale(2.0**-doublings, 2.0**doublings, ticks, _RATIOS_WIDTH)


def decade_scale(values: Sequence[float]) -> Scale:
    """An axis that holds the values, with a line at every power of ten."""
    there = [value for value in values if value > 0] or [1.0]
    least, most = floor(log10(min(there))), ceil(log10(max(there)))
    most = max(most, least + 1)
    ticks = tuple(10.0**power for power in range(least, most + 1))
    return Scale(10.0**least, 10.0**most, ticks, _TIMES_WIDTH)


def axis(scale: Scale, label: str) -> Markup:
    """The numbers of an axis, for the head of a column.

    Args:
        scale: the axis.
        label: what is written behind each number.
    """
    numbers = (_text(scale.place(tick), _number(tick) + label) for tick in scale.ticks)
    return _drawing(scale.width, AXIS_HEIGHT, *numbers)


def dots(scale: Scale, marks: Sequence[Mark]) -> Markup:
    """Dots with the reach of each."""
    drawn = [_lines(scale, even=1.0)]
    for mark in marks:
        reach = _line(scale.place(mark.least), _MIDDLE, scale.place(mark.most), _MIDDLE, f"reach {mark.kind}")
        drawn += [reach, _dot(scale.place(mark.value), mark.kind)]
    return _drawing(scale.width, HEIGHT, *drawn)


def quantiles(scale: Scale, p50: float, p95: float, p99: float, kind: str) -> Markup:
    """A bar from the middle to the 99th of a hundred, with a dot at the 95th."""
    start, end = scale.place(p50), scale.place(p99)
    bar = element(
        "rect",
        x=f"{start}",
        y=f"{_MIDDLE - 3}",
        width=f"{max(end - start, 2):.1f}",
        height="6",
        rx="3",
        class_=f"bar {kind}",
    )
    ends = (_line(place, _MIDDLE - 7, place, _MIDDLE + 7, f"end {kind}") for place in (start, end))
    return _drawing(scale.width, HEIGHT, _lines(scale), bar, *ends, _dot(scale.place(p95), kind))


def bar(value: float, most: float, least_seen: float, most_seen: float, kind: str) -> Markup:
    """A bar from zero, with the reach of the rounds.

    Args:
        value: its length.
        most: the value that fills the width.
        least_seen: where the reach begins.
        most_seen: where it ends.
        kind: the class it is drawn in.
    """
    width = BAR_WIDTH

    def place(value: float) -> float:
        return round(width * value / most, 1) if most else 0.0

    filled = element(
        "rect", x="0", y=f"{_MIDDLE - 6}", width=f"{max(place(value), 1)}", height="12", rx="2", class_=f"bar {kind}"
    )
    reach = _line(place(least_seen), _MIDDLE, place(most_seen), _MIDDLE, "over")
    return _drawing(width, HEIGHT, filled, reach)


def _lines(scale: Scale, *, even: float | None = None) -> Markup:
    places = ((scale.place(tick), "one" if tick == even else "tick") for tick in scale.ticks)
    return joined(*(_line(place, 0, place, HEIGHT, kind) for place, kind in places))


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return element("line", x1=f"{x1}", y1=f"{y1}", x2=f"{x2}", y2=f"{y2}", class_=kind)


def _dot(x: float, kind: str) -> Markup:
    return element("circle", cx=f"{x}", cy=f"{_MIDDLE}", r=f"{_RADIUS}", class_=f"dot {kind}")


def _text(x: float, text: str) -> Markup:
    return element("text", text, x=f"{x}", y=f"{AXIS_HEIGHT - 7}", text_anchor="middle")


def _number(value: float) -> str:
    return f"{value:,.10g}" if value >= 1 else f"1/{1 / value:.10g}"


def _drawing(width: int, height: int, *parts: str) -> Markup:
    return element("svg", *parts, width=f"{width}", height=f"{height}", viewBox=f"0 0 {width} {height}")
