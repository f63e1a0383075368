"""Which parts of two sequences differ, in bounded time.

From coarse to fine, each stage working on what the one before left:

1. what both sequences begin and end with is set aside;
2. tokens that stand exactly once in both are anchors: the longest chain of them that rises in both;
3. between anchors the greedy algorithm of E. Myers, "An O(ND) Difference Algorithm and Its
   Variations" (1986).

The third is quadratic at worst, so its steps are counted; where they run out, a stretch counts as
different as a whole, which is right and merely not minimal.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

# Beyond this many differences in one gap a replacement reads better than the alignment.
_MAX_DIFFERENCES = 300


class Match(NamedTuple):
    """A stretch that both sequences have: where it begins in either, and how long it is."""

    before: int
    after: int
    length: int


class Span(NamedTuple):
    """A stretch of one sequence that stands in the place of a stretch of the other; half open."""

    before_start: int
    before_end: int
    after_start: int
    after_end: int


@dataclass(slots=True)
class Steps:
    """How much searching is still allowed; one step costs about 0.2 µs."""

    left: int


def differing_spans(before: Sequence[str], after: Sequence[str], steps: Steps) -> list[Span]:
    """The stretches in which two sequences differ, in order and not touching each other.

    Args:
        before: tokens.
        after: the other tokens.
        steps: the search that is allowed; what is used is taken from it.
    """
    anchors = _anchors(before, after)
    matches = list(anchors)
    for gap in _gaps(anchors, len(before), len(after)):
        matches += _searched(before, after, gap, steps)
    return list(_gaps(sorted(matches), len(before), len(after)))


def trimmed(before: Sequence[str], after: Sequence[str]) -> Span:
    """What is left when the common beginning, then the common end, is set aside."""
    head = _common_head(before, after)
    tail = _common_tail(before, after, min(len(before), len(after)) - head)
    return Span(head, len(before) - tail, head, len(after) - tail)


def _common_head(before: Sequence[str], after: Sequence[str]) -> int:
    low, high = 0, min(len(before), len(after))
    while low < high:
        middle = (low + high + 1) // 2
        if before[low:middle] == after[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _common_tail(before: Sequence[str], after: Sequence[str], longest: int) -> int:
    low, high = 0, longest
    end, other_end = len(before), len(after)
    while low < high:
        middle = (low + high + 1) // 2
        if before[end - middle : end - low] == after[other_end - middle : other_end - low]:
            low = middle
        else:
            high = middle - 1
    return low


def _gaps(matches: Iterable[Match], before_length: int, after_length: int) -> Iterator[Span]:
    before_end = after_end = 0
    for match in (*matches, Match(before_length, after_length, 0)):
        if match.before > before_end or match.after > after_end:
            yield Span(before_end, match.before, after_end, match.after)
        before_end, after_end = match.before + match.length, match.after + match.length


def _anchors(before: Sequence[str], after: Sequence[str]) -> list[Match]:
    core = trimmed(before, after)
    places = _unique_places(before, core.before_start, core.before_end)
    wanted = _unique_places(after, core.after_start, core.after_end)
    pairs = [(place, wanted[token]) for token, place in places.items() if token in wanted]
    head = Match(0, 0, core.before_start)
    tail = Match(core.before_end, core.after_end, len(before) - core.before_end)
    return [head, *(Match(*pair, 1) for pair in _rising(pairs)), tail]


def _unique_places(tokens: Sequence[str], start: int, end: int) -> dict[str, int]:
    counts = Counter(tokens[start:end])
    return {tokens[place]: place for place in range(start, end) if counts[tokens[place]] == 1}


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest chain that rises in both numbers, of pairs that rise in the first (patience sorting)."""
    lowest_ends: list[int] = []
    last_of_length: list[int] = []
    previous: list[int] = []
    for index, (_, value) in enumerate(pairs):
        length = bisect_left(lowest_ends, value)
        previous.append(last_of_length[length - 1] if length else -1)
        if length == len(lowest_ends):
            lowest_ends.append(value)
            last_of_length.append(index)
        else:
            lowest_ends[length] = value
            last_of_length[length] = index
    chain = []
    index = last_of_length[-1] if last_of_length else -1
    while index >= 0:
        chain.append(pairs[index])
        index = previous[index]
    return chain[::-1]


def _searched(before: Sequence[str], after: Sequence[str], gap: Span, steps: Steps) -> Iterator[Match]:
    """The matches inside one gap between anchors."""
    first = before[gap.before_start : gap.before_end]
    second = after[gap.after_start : gap.after_end]
    core = trimmed(first, second)
    inner = _greedy(first[core.before_start : core.before_end], second[core.after_start : core.after_end], steps)
    yield Match(gap.before_start, gap.after_start, core.before_start)
    for match in inner:
        yield Match(
            gap.before_start + core.before_start + match.before,
            gap.after_start + core.after_start + match.after,
            match.length,
        )
    yield Match(
        gap.before_start + core.before_end,
        gap.after_start + core.after_end,
        len(first) - core.before_end,
    )


def _greedy(first: Sequence[str], second: Sequence[str], steps: Steps) -> list[Match]:
    """The matches of a shortest edit script; none where it is too long to be searched for."""
    if not first or not second:
        return []
    # For each number of differences: the furthest place reached on each diagonal (first minus second).
    frontiers: list[dict[int, int]] = [{1: 0}]
    goal = len(first) - len(second)
    for differences in range(min(len(first) + len(second), _MAX_DIFFERENCES) + 1):
        if steps.left <= 0:
            return []
        frontier = _advanced(frontiers[-1], differences, first, second, steps)
        if frontier.get(goal, -1) == len(first):
            return _walked_back(frontiers, len(first), len(second))
        frontiers.append(frontier)
    return []


def _advanced(
    reached: dict[int, int], differences: int, first: Sequence[str], second: Sequence[str], steps: Steps
) -> dict[int, int]:
    """The frontier one difference further: one step down or right, then along what is equal."""
    frontier = {}
    length, other_length = len(first), len(second)
    # Diagonals that leave the rectangle are left out.
    lowest = -differences + 2 * max(0, differences - other_length)
    highest = differences - 2 * max(0, differences - length)
    for diagonal in range(lowest, highest + 1, 2):
        place = _stepped_to(reached, diagonal, differences)[1]
        other = place - diagonal
        start = place
        while place < length and other < other_length and first[place] == second[other]:
            place += 1
            other += 1
        frontier[diagonal] = place
        steps.left -= 1 + place - start
    return frontier


def _stepped_to(reached: dict[int, int], diagonal: int, differences: int) -> tuple[int, int]:
    """From which diagonal this one is entered, and at which place."""
    if diagonal == -differences or (diagonal != differences and reached[diagonal - 1] < reached[diagonal + 1]):
        return diagonal + 1, reached[diagonal + 1]
    return diagonal - 1, reached[diagonal - 1] + 1


def _walked_back(frontiers: Sequence[dict[int, int]], place: int, other: int) -> list[Match]:
    matches = []
    for differences in range(len(frontiers) - 1, -1, -1):
        reached = frontiers[differences]
        origin, entered = _stepped_to(reached, place - other, differences)
        if place > entered:
            matches.append(Match(entered, entered - (place - other), place - entered))
        place, other = reached[origin], reached[origin] - origin
    return matches[::-1]
