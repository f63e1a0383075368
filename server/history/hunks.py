"""The lines in which two texts differ, with the words in them, as hunks and as a unified diff.

Lines end at a newline and nowhere else, as in Git: what is written here is what `git apply` and `patch` take.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import Final

from crdt.alignment import Span, Steps, differing_spans
from crdt.diff import differing_words
from crdt.offsets import utf16_length

CONTEXT_LINES: Final = 3
# Lines and words together; a tenth of a second at most. Beyond it hunks grow coarser and stay right.
_MAX_STEPS: Final = 300_000


class LineKind(StrEnum):
    """What became of a line."""

    CONTEXT = "context"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class WordSpan:
    """Part of a line that differs from what stands in its place; UTF-16 offsets within the line."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a hunk.

    Arguments: `text` without its newline; `has_newline` is false where a text's last line has none; `spans` are empty
    in a line that has no counterpart.
    """

    kind: LineKind
    text: str
    has_newline: bool
    spans: tuple[WordSpan, ...] = ()


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines around one or more changes.

    Arguments: where it begins in either text, from 1, and how many lines it takes there; a hunk without lines on one
    side begins behind that line, as in a unified diff.
    """

    a_start: int
    a_lines: int
    b_start: int
    b_lines: int
    lines: tuple[Line, ...]


def hunks_of(before: str, after: str) -> list[Hunk]:
    """Answers the hunks that lead from one text to another. Raises OffsetError for half a surrogate pair."""
    old, new = _lines(before), _lines(after)
    steps = Steps(_MAX_STEPS)
    groups = _grouped(differing_spans(old, new, steps))
    return [_hunk(group, old, new, steps) for group in groups]


def changed_lines(hunks: Iterable[Hunk]) -> tuple[int, int]:
    """Answers how many lines were added, and how many removed."""
    kinds = [line.kind for hunk in hunks for line in hunk.lines]
    return kinds.count(LineKind.ADDED), kinds.count(LineKind.REMOVED)


def count_changed_lines(before: str, after: str) -> tuple[int, int]:
    """Answers what `changed_lines` of the hunks between two texts would, without looking for words."""
    spans = differing_spans(_lines(before), _lines(after), Steps(_MAX_STEPS))
    return (
        sum(span.after_end - span.after_start for span in spans),
        sum(span.before_end - span.before_start for span in spans),
    )


def unified(hunks: Sequence[Hunk], name: str) -> str:
    """Answers hunks as a unified diff of the file `name`; the empty text where nothing differs."""
    if not hunks:
        return ""
    head = f"diff --git a/{name} b/{name}\n--- a/{name}\n+++ b/{name}\n"
    return head + "".join(part for hunk in hunks for part in _unified_parts(hunk))


_SIGNS: Final = {LineKind.CONTEXT: " ", LineKind.REMOVED: "-", LineKind.ADDED: "+"}


def _unified_parts(hunk: Hunk) -> Iterator[str]:
    yield f"@@ -{_range(hunk.a_start, hunk.a_lines)} +{_range(hunk.b_start, hunk.b_lines)} @@\n"
    for line in hunk.lines:
        yield f"{_SIGNS[line.kind]}{line.text}\n"
        if not line.has_newline:
            yield "\\ No newline at end of file\n"


def _range(start: int, lines: int) -> str:
    return str(start) if lines == 1 else f"{start},{lines}"


def _lines(text: str) -> list[str]:
    lines = [f"{line}\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _grouped(spans: Iterable[Span]) -> list[list[Span]]:
    """Changes whose contexts touch or overlap stand in one hunk."""
    groups: list[list[Span]] = []
    for span in spans:
        if groups and span.before_start - groups[-1][-1].before_end <= 2 * CONTEXT_LINES:
            groups[-1].append(span)
        else:
            groups.append([span])
    return groups


def _hunk(group: Sequence[Span], old: Sequence[str], new: Sequence[str], steps: Steps) -> Hunk:
    lead = min(CONTEXT_LINES, group[0].before_start)
    a_start, b_start = group[0].before_start - lead, group[0].after_start - lead
    a_end = min(len(old), group[-1].before_end + CONTEXT_LINES)
    lines: list[Line] = []
    place = a_start
    for span in group:
        lines += _context(old[place : span.before_start])
        lines += _changed(old[span.before_start : span.before_end], new[span.after_start : span.after_end], steps)
        place = span.before_end
    lines += _context(old[place:a_end])
    a_lines = a_end - a_start
    b_lines = sum(line.kind is not LineKind.REMOVED for line in lines)
    return Hunk(a_start + (a_lines > 0), a_lines, b_start + (b_lines > 0), b_lines, tuple(lines))


def _context(lines: Iterable[str]) -> Iterator[Line]:
    return (_line(LineKind.CONTEXT, line) for line in lines)


def _changed(old: Sequence[str], new: Sequence[str], steps: Steps) -> Iterator[Line]:
    """The lines of one change, those that went before those that came."""
    words: list[Span] = []
    if old and new:
        words = list(differing_words("".join(old), "".join(new), steps))
    went = _within_lines(old, [(span.before_start, span.before_end) for span in words])
    came = _within_lines(new, [(span.after_start, span.after_end) for span in words])
    for line, spans in zip(old, went, strict=True):
        yield _line(LineKind.REMOVED, line, spans)
    for line, spans in zip(new, came, strict=True):
        yield _line(LineKind.ADDED, line, spans)


def _line(kind: LineKind, line: str, spans: Iterable[WordSpan] = ()) -> Line:
    return Line(kind, line.removesuffix("\n"), line.endswith("\n"), tuple(spans))


def _within_lines(lines: Sequence[str], spans: Sequence[tuple[int, int]]) -> list[list[WordSpan]]:
    """Stretches of joined lines, in code points and in order, cut at the lines' ends."""
    starts = list(accumulate(map(len, lines), initial=0))
    found: list[list[WordSpan]] = []
    first = 0
    for start, line in zip(starts, lines, strict=False):
        text = line.removesuffix("\n")
        end = start + len(text)
        while first < len(spans) and spans[first][1] <= start:
            first += 1
        inside: list[tuple[int, int]] = []
        index = first
        while index < len(spans) and spans[index][0] < end:
            inside.append((max(spans[index][0], start) - start, min(spans[index][1], end) - start))
            index += 1
        found.append(list(_in_utf16(text, inside)))
    return found


def _in_utf16(text: str, spans: Iterable[tuple[int, int]]) -> Iterator[WordSpan]:
    place = offset = 0
    for start, end in spans:
        if start == end:
            continue
        begin = offset + utf16_length(text[place:start])
        offset = begin + utf16_length(text[start:end])
        place = end
        yield WordSpan(begin, offset)
