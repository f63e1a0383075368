"""Pieces of HTML: the only place where text becomes markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

NOTHING: Final = "\N{EN DASH}"
"""Stands where there is no figure."""


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(tag: str, *content: str, **attributes: str | None) -> Markup:
    """An element.

    Args:
        tag: its name.
        content: its content; what is not markup is escaped.
        attributes: underscores stand for hyphens, one at the end for nothing; those that are None are left out.
    """
    named = ((name.rstrip("_").replace("_", "-"), value) for name, value in attributes.items())
    written = "".join(f' {name}="{escape(value)}"' for name, value in named if value is not None)
    return Markup(f"<{tag}{written}>{joined(*content)}</{tag}>")


def joined(*parts: str) -> Markup:
    """Parts behind each other; what is not markup is escaped."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in parts))


def table(caption: str, head: Sequence[Markup], rows: Iterable[Markup]) -> Markup:
    """A table that scrolls by itself where the window is narrow.

    Args:
        caption: what it shows, for those who do not see it.
        head: the cells of its first row.
        rows: the others.
    """
    hidden = element("caption", caption)
    first = element("thead", element("tr", *head))
    return element("div", element("table", hidden, first, element("tbody", *rows)), class_="scroll", tabindex="0")


def column(*content: str, kind: str | None = None) -> Markup:
    """The head of a column."""
    return element("th", *content, scope="col", class_=kind)


def row_head(*content: str) -> Markup:
    """The head of a row."""
    return element("th", *content, scope="row")


def cell(*content: str, kind: str | None = None) -> Markup:
    """A cell."""
    return element("td", *content, class_=kind)


def picture_cell(picture: Markup) -> Markup:
    """A cell with a picture of what the cells beside it say."""
    return element("td", picture, class_="picture", aria_hidden="true")
