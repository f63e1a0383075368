"""Where the edits of a request belong in the text as it stands.

Two forms: `find` names the text to replace, which has to be there exactly once; `start` and `end` are UTF-16 offsets.
All edits of a request mean the same text, the one before any of them, and must not overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, Final

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from crdt.diff import TextEdit, minimal_edits, normalize_newlines
from crdt.errors import CrdtError
from crdt.offsets import codepoint_to_utf16, utf16_length, utf16_split, utf16_to_codepoint
from server.api.fields import Body, Content
from server.errors import EditConflict
from server.limits import MAX_CONTENT_LENGTH

# Telling what differs in more than this takes longer than an event loop should stand still.
_REFINED_LENGTH: Final = 65_536

Offset = Annotated[int, Field(ge=0, lt=2**31)]


class FindEdit(Body):
    """Replaces a piece of text that occurs exactly once."""

    find: Annotated[Content, StringConstraints(min_length=1, max_length=MAX_CONTENT_LENGTH)]
    replace: Content


class OffsetEdit(Body):
    """Replaces a range, in UTF-16 code units; `start` = `end` inserts."""

    start: Offset
    end: Offset
    text: Content

    @model_validator(mode="after")
    def _in_order(self) -> OffsetEdit:
        if self.end < self.start:
            raise ValueError("end is before start")
        return self


def _form(value: Any) -> str:  # noqa: ANN401 - whatever JSON the request held
    names = value.keys() if isinstance(value, dict) else vars(value).keys() if hasattr(value, "__dict__") else ()
    return "by_find" if "find" in names else "by_offsets"


RequestedEdit = Annotated[
    Annotated[FindEdit, Tag("by_find")] | Annotated[OffsetEdit, Tag("by_offsets")], Discriminator(_form)
]


def place_edits(text: str, requested: Sequence[FindEdit | OffsetEdit]) -> list[TextEdit]:
    r"""Answers the edits as ranges of the text, in ascending order, with `\r` removed from what they insert.

    Raises EditConflict naming the edit (its position in the request) and how often its text was found.
    """
    placed = [_place(text, position, edit) for position, edit in enumerate(requested)]
    ordered = sorted(range(len(placed)), key=lambda position: (placed[position].start, placed[position].end))
    for before, after in pairwise(ordered):
        if placed[after].start < placed[before].end:
            details: dict[str, object] = {"edit": after, "overlaps": before}
            raise EditConflict(f"Edits {before} and {after} overlap.", details=details)
    return _refined(text, [placed[position] for position in ordered])


def _refined(text: str, edits: list[TextEdit]) -> list[TextEdit]:
    """Narrows each edit to what differs, so that the text around keeps its authors and cursors."""
    pieces = utf16_split(text, [place for edit in edits for place in (edit.start, edit.end)])[1::2]
    if sum(map(len, pieces)) + sum(len(edit.text) for edit in edits) > _REFINED_LENGTH:
        return edits
    return [
        TextEdit(edit.start + part.start, edit.start + part.end, part.text)
        for edit, piece in zip(edits, pieces, strict=True)
        for part in minimal_edits(piece, edit.text)
    ]


def _place(text: str, position: int, edit: FindEdit | OffsetEdit) -> TextEdit:
    return _find(text, position, edit) if isinstance(edit, FindEdit) else _range(text, position, edit)


def _find(text: str, position: int, edit: FindEdit) -> TextEdit:
    find = normalize_newlines(edit.find)
    found = _occurrences(text, find)
    if found != 1:
        times = "not in the text" if found == 0 else f"in the text {found} times"
        details: dict[str, object] = {"edit": position, "found": found}
        raise EditConflict(f"What edit {position} looks for is {times}; it has to be there once.", details=details)
    start = codepoint_to_utf16(text, text.index(find))
    return TextEdit(start, start + utf16_length(find), normalize_newlines(edit.replace))


def _range(text: str, position: int, edit: OffsetEdit) -> TextEdit:
    try:
        for offset in (edit.start, edit.end):
            utf16_to_codepoint(text, offset)
    except CrdtError as error:
        details: dict[str, object] = {"edit": position}
        raise EditConflict(f"The offsets of edit {position} are not in this text.", details=details) from error
    return TextEdit(edit.start, edit.end, normalize_newlines(edit.text))


def _occurrences(text: str, find: str) -> int:
    """Counts in linear time. One that overlaps another counts too: `aa` is in `aaa` twice, so it does not say where."""
    found = text.count(find) if find else 0
    overlapping = found == 1 and text.find(find, text.index(find) + 1) != -1
    return 2 if overlapping else found
