"""Surrogate pairs must not be taken apart.

Yjs then replaces both halves, the engine keeps the pair and miscounts from there on: their texts differ
for ever.  A *middle* is the clock between the two halves, by client.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from crdt.ranges import ClockRange
from crdt.summary import Place

Middles = Mapping[int, Collection[int]]


def splits_pair(middles: Middles, places: Iterable[Place]) -> bool:
    """Whether something is inserted between the halves of a pair, or starts there."""
    nothing: Collection[int] = ()
    for client, start, _, left, right, _ in places:
        if left is not None and left[1] + 1 in middles.get(left[0], nothing):
            return True
        if right is not None and right[1] in middles.get(right[0], nothing):
            return True
        if start in middles.get(client, nothing):
            return True
    return False


def halves_pair(middles: Middles, ranges: Iterable[ClockRange]) -> bool:
    """Whether a range starts or ends between the halves of a pair."""
    nothing: Collection[int] = ()
    for client, start, end in ranges:
        clocks = middles.get(client, nothing)
        if start in clocks or end in clocks:
            return True
    return False
