"""Edits of a text, and the smallest ones that lead from one text to another.

An edit made for somebody (a restore, an edit over REST) goes into a text that others are typing in:
whatever it does not touch keeps its identity, so cursors and concurrent edits survive.  Differences
are therefore looked for in lines, inside them in words, and inside those at the ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from crdt.alignment import Span, Steps, differing_spans, trimmed
from crdt.errors import OffsetError
from crdt.offsets import utf16_length, utf16_split

# A tenth of a second at most, many times what an honest edit needs; beyond it edits grow coarser.
_MAX_STEPS = 300_000

# Scripts that put no space between words are compared by the character.
_WORDS = re.compile(r"[^\W\u2e80-\U0010ffff]+|\s+|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TextEdit:
    """Replace what stands between two places by a text.

    Args:
        start: UTF-16 offset into the original text.
        end: UTF-16 offset into the original text, not before ``start``.
        text: what stands there afterwards.
    """

    start: int
    end: int
    text: str


def normalize_newlines(text: str) -> str:
    r"""A text whose lines end in ``\n``; ``\r\n`` and a lone ``\r`` are line ends, as in Monaco."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def apply_edits(text: str, edits: Iterable[TextEdit]) -> str:
    """The text after all edits, each of which speaks of the original text.

    Raises:
        OffsetError: an edit is out of bounds, overlaps another, or splits a surrogate pair; or a
            text holds a lone surrogate.
    """
    edits = in_order(edits)
    kept = split_at_edits(text, edits)[0::2]
    return kept[0] + "".join(edit.text + after for edit, after in zip(edits, kept[1:], strict=True))


def in_order(edits: Iterable[TextEdit]) -> list[TextEdit]:
    """Edits from the beginning of the text to its end; those at one place keep their order."""
    return sorted(edits, key=lambda edit: (edit.start, edit.end))


def split_at_edits(text: str, edits: Sequence[TextEdit]) -> list[str]:
    """A text cut at every edit: what is kept and what is replaced, in turn, beginning and ending with kept.

    Raises:
        OffsetError: as ``apply_edits``.
    """
    for edit in edits:
        utf16_length(edit.text)
        if edit.end < edit.start:
            raise OffsetError(f"an edit ends at {edit.end}, before its start {edit.start}")
    return utf16_split(text, [place for edit in edits for place in (edit.start, edit.end)])


def minimal_edits(before: str, after: str) -> list[TextEdit]:
    """The edits that turn one text into another, in order and not touching each other.

    Args:
        before: the text as it is.
        after: the text as it shall be.

    Returns:
        Edits in UTF-16 offsets into ``before``, none of which splits a surrogate pair.

    Raises:
        OffsetError: a text holds a lone surrogate (``text_invalid``).
    """
    utf16_length(before)
    utf16_length(after)
    steps = Steps(_MAX_STEPS)
    lines = _refined(before, after, [_whole(before, after)], _lines, steps)
    words = _refined(before, after, lines, _WORDS.findall, steps)
    return list(_as_edits(before, after, words))


def differing_words(before: str, after: str, steps: Steps) -> Iterator[Span]:
    """The stretches in which two texts differ, made of whole words, in order; places are code points.

    Args:
        before: a text.
        after: the other one.
        steps: the search that is allowed; what is used is taken from it.
    """
    return _refined(before, after, [_whole(before, after)], _WORDS.findall, steps)


def _whole(before: str, after: str) -> Span:
    return Span(0, len(before), 0, len(after))


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _refined(
    before: str, after: str, spans: Iterable[Span], split: Callable[[str], list[str]], steps: Steps
) -> Iterator[Span]:
    """The spans again, each narrowed to the tokens in it that differ; places are code points."""
    for span in spans:
        old = split(before[span.before_start : span.before_end])
        new = split(after[span.after_start : span.after_end])
        old_places = list(accumulate(map(len, old), initial=span.before_start))
        new_places = list(accumulate(map(len, new), initial=span.after_start))
        for tokens in differing_spans(old, new, steps):
            yield Span(
                old_places[tokens.before_start],
                old_places[tokens.before_end],
                new_places[tokens.after_start],
                new_places[tokens.after_end],
            )


def _as_edits(before: str, after: str, spans: Iterable[Span]) -> Iterator[TextEdit]:
    place = offset = 0
    for span in spans:
        old = before[span.before_start : span.before_end]
        new = after[span.after_start : span.after_end]
        core = trimmed(old, new)
        offset += utf16_length(before[place : span.before_start + core.before_start])
        end = offset + utf16_length(old[core.before_start : core.before_end])
        yield TextEdit(offset, end, new[core.after_start : core.after_end])
        place, offset = span.before_start + core.before_end, end
