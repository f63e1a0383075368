"""In which order the structs of an update can be applied, if there is one.

Two clients' structs may refer to each other back and forth, but never in a circle: what waits for
itself would stay pending in the engine for ever, and pending structs vanish from its state.

Source: Yjs ``utils/encoding.js``, ``integrateStructs``, which leaves circles pending.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import NamedTuple

from crdt.errors import UpdateError


class Wait(NamedTuple):
    """The struct at ``clock`` cannot be applied before ``client`` has reached ``needed``, in UTF-16 units."""

    clock: int
    client: int
    needed: int


@dataclass(frozen=True, slots=True)
class Section:
    """What an update holds of one client.

    Args:
        start: the clock of its first struct.
        end: the clock behind its last struct.
        waits: for other clients, by ascending clock; only where more is needed of a client than before.
    """

    start: int
    end: int
    waits: Sequence[Wait]


def applicable_order(sections: Mapping[int, Section]) -> list[tuple[int, int]]:
    """Apply the sections in thought, each as far as the others allow, in time linear in their waits.

    What lies before a section or behind it is taken as known: whether it is, the replica decides.

    Returns:
        Steps: which client's structs come next, and up to, not including, which clock.

    Raises:
        UpdateError: ``update_circular``: some structs wait for each other.
    """
    reached = {client: section.start for client, section in sections.items()}
    position = dict.fromkeys(sections, 0)
    # Per client a heap of: the clock it must reach, who waits for it.
    waiting: dict[int, list[tuple[int, int]]] = {client: [] for client in sections}
    runnable = deque(sections)
    steps = []
    while runnable:
        client = runnable.popleft()
        section = sections[client]
        wait = _next_wait(section, position, client, sections, reached)
        if wait is None:
            reached[client] = section.end
        else:
            reached[client] = wait.clock
            heappush(waiting[wait.client], (wait.needed, client))
        steps.append((client, reached[client]))
        heap = waiting[client]
        while heap and heap[0][0] <= reached[client]:
            runnable.append(heappop(heap)[1])
    if any(reached[client] < section.end for client, section in sections.items()):
        raise UpdateError("structs wait for each other in a circle", code="update_circular")
    return steps


def _next_wait(
    section: Section,
    position: dict[int, int],
    client: int,
    sections: Mapping[int, Section],
    reached: Mapping[int, int],
) -> Wait | None:
    for index in range(position[client], len(section.waits)):
        wait = section.waits[index]
        other = sections.get(wait.client)
        if other is not None and reached[wait.client] < wait.needed <= other.end:
            position[client] = index
            return wait
    position[client] = len(section.waits)
    return None
