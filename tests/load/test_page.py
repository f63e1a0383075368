"""The page: whole, by itself, and legible."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import load.page
from load.comparison import Failure
from load.figures import TIMES
from load.page.marks import decade_scale, ratio_scale
from load.page.markup import NOTHING, element
from load.page.render import page
from load.results import Spread
from tests.load.comparisons import comparison, costs, run

NEVER_CLOSED = {"br", "meta"}
STYLE = Path(load.page.__file__ or "").with_name("style.css").read_text()
# WCAG 2.2, 1.4.3 and 1.4.11.
CONTRAST_OF_TEXT, CONTRAST_OF_PICTURES = 4.5, 3.0


class Reader(HTMLParser):
    """Reads a page, and says what does not close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in NEVER_CLOSED:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def html() -> str:
    runs = [
        *costs("promptroom-sqlite", 5.0, 5.1, 5.3),
        *costs("promptroom-postgres", 9.4, 9.5, 9.9),
        *costs("hocuspocus", 9.0, 9.1, 9.2),
        run("y-websocket", problems=("<b>4 keys</b> arrived nowhere",), latency=Spread(1.0, 2.0, 3.0, 4.0), lost=7),
        *costs("promptroom-1-node", 5.0, case="nodes-fanout"),
        *costs("promptroom-3-nodes", 6.0, case="nodes-fanout"),
        run("promptroom-2-nodes", case="between-nodes", latency=Spread(1.0, 2.0, 12.0, 14.0), lost=2),
        run("promptroom-sqlite", case="idle", figures={"memory_kb_per_connection": 21.5, "cpu_share": 0.03}, lost=None),
    ]
    return page(comparison(runs, [Failure("cold-open", "hocuspocus-sqlite", 2, "it did not start")]))


def test_everything_that_opens_closes(html: str) -> None:
    assert Reader(html).open == []


def test_it_needs_nothing_else(html: str) -> None:
    assert not re.search(r"https?:|url\(|@import|<script|<link|<img", html)


def test_what_it_is_told_is_text_and_not_markup(html: str) -> None:
    assert "<b>4 keys" not in html
    assert "&lt;b&gt;4 keys" in html


def test_ratios_say_in_words_who_is_better(html: str) -> None:
    text = re.sub(r"<[^>]+>", " ", html)
    assert re.search(rf"CPU per delivery\s.*?0\.56 {TIMES}\s+better\s.*?1\.04 {TIMES}\s+worse", text, re.DOTALL)


def test_targets_say_by_how_much(html: str) -> None:
    assert "reached, 25 % to spare" in html
    assert "missed by 39 %" in html
    assert "not measured" in html


def test_several_nodes_stand_beside_one(html: str) -> None:
    section = html.partition("Several nodes beside one")[2].partition("<h2>")[0]
    text = " ".join(re.sub(r"<[^>]+>", " ", section).split())
    assert f"CPU per delivery 5.00 µs {NOTHING} 1.20 {TIMES} 6.00 µs {NOTHING}" in text


def test_nodes_have_bounds_of_their_own(html: str) -> None:
    section = html.partition("<h2>Targets</h2>")[2].partition("<h2>")[0]
    rows = [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in section.split("<tr>")]
    assert f"between two nodes p99 ≤ 15 ms {NOTHING} {NOTHING} ✓ reached, 20 % to spare 12.0 ms" in rows
    assert next(row for row in rows if row.startswith("every case")).endswith("✗ missed: 2.00 2.00 after kill -9")


def test_what_went_wrong_stands_there(html: str) -> None:
    assert "cold-open, hocuspocus-sqlite, round 2: it did not start" in html


def test_every_table_has_a_caption_and_its_heads_say_of_what(html: str) -> None:
    elements = Reader(html).elements
    tags = [tag for tag, _ in elements]
    assert tags.count("table") == tags.count("caption")
    assert all("scope" in attributes for tag, attributes in elements if tag == "th")


def test_pictures_show_nothing_that_no_cell_says(html: str) -> None:
    cells = re.findall(r"<t[dh]([^>]*)>(?:(?!</t[dh]>).)*<svg", html)
    assert cells
    assert all('aria-hidden="true"' in attributes for attributes in cells)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_can_be_told_from_the_paper(scheme: int) -> None:
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", STYLE.split("@media")[scheme]))
    for paper in ("paper", "card", "good-paper", "bad-paper"):
        for ink in ("ink", "muted", "ours", "good", "bad"):
            if paper in {"paper", "card"} or ink == "ink":
                assert contrast(colours[ink], colours[paper]) >= CONTRAST_OF_TEXT, (ink, paper)
    assert contrast(colours["peer"], colours["card"]) >= CONTRAST_OF_PICTURES


def test_an_axis_holds_what_is_drawn_on_it() -> None:
    for scale, values in ((ratio_scale([0.2, 3.4]), (0.2, 3.4)), (decade_scale([0.4, 12.0]), (0.4, 12.0))):
        places = [scale.place(value) for value in values]
        assert scale.least <= min(values) < max(values) <= scale.most
        assert places == sorted(places)
    assert decade_scale([]).ticks == (1.0, 10.0)


def test_attributes_are_escaped_too() -> None:
    assert element("a", "x & y", href='"><b') == '<a href="&quot;&gt;&lt;b">x &amp; y</a>'


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
