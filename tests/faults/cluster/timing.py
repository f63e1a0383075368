"""How long people waited and how far they were behind, read from what happened; nothing here does anything but look.

Times in which the process of the clients itself stood still are left out of waiting: no server is to blame for them.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from tests.faults.cluster.history import Acknowledged, Connected, Disconnected, Record, Sent, Shown, Stalled

NEVER = float("inf")


def pauses(records: Sequence[Record]) -> dict[str, float]:
    """Return for each author who hears acknowledgements the longest time between typing a token and hearing of it."""
    stalls = _stalls(records)
    waiting: dict[str, list[Sent]] = defaultdict(list)
    longest: dict[str, float] = {}
    for record in records:
        match record:
            case Sent(author=author):
                waiting[author].append(record)
            case Acknowledged(at, author, count):
                heard = [sent for sent in waiting[author] if sent.number <= count]
                waiting[author] = [sent for sent in waiting[author] if sent.number > count]
                waits = [_without(stalls, sent.at, at) for sent in heard]
                longest[author] = max([longest.get(author, 0.0), *waits])
    return longest


def typing_again(records: Sequence[Record], since: float) -> dict[str, float]:
    """Return for each author how long after a time a token that was typed after it was acknowledged.

    Authors who typed nothing after it, or never hear acknowledgements, are left out; one who typed and heard of nothing
    is answered with NEVER.
    """
    stalls = _stalls(records)
    hear = {record.author for record in records if isinstance(record, Acknowledged)}
    first: dict[str, int] = {}
    again: dict[str, float] = {}
    for record in records:
        match record:
            case Sent(at, author, number) if at >= since and author in hear and author not in first:
                first[author], again[author] = number, NEVER
            case Acknowledged(at, author, count) if again.get(author) == NEVER and count >= first[author]:
                again[author] = _without(stalls, since, at)
    return again


def farthest_behind(records: Sequence[Record], since: float = 0.0, *, committed_since: float = 0.0) -> float:
    """Return the longest time between an author's hearing that a token is committed and a client's showing it.

    Only clients that were connected from before the acknowledgement on count.

    Args:
        records: What happened so far.
        since: Only what was shown after this time counts.
        committed_since: Only what was acknowledged after this time counts.
    """
    stalls = _stalls(records)
    committed: dict[tuple[str, int], float] = {}
    heard: dict[str, int] = defaultdict(int)
    shown: dict[tuple[str, str], int] = defaultdict(int)
    connected: dict[str, float] = {}
    behind = 0.0
    for record in records:
        match record:
            case Connected(at, client):
                connected[client] = at
            case Disconnected(_, client):
                connected.pop(client, None)
            case Acknowledged(at, author, count):
                committed.update({(author, number): at for number in range(heard[author] + 1, count + 1)})
                heard[author] = max(heard[author], count)
            case Shown(at, viewer, author, count):
                news = range(shown[viewer, author] + 1, count + 1)
                shown[viewer, author] = max(shown[viewer, author], count)
                if at < since:
                    continue
                for number in news:
                    when = committed.get((author, number), NEVER)
                    if max(connected.get(viewer, NEVER), committed_since) <= when < at:
                        behind = max(behind, _without(stalls, when, at))
    return behind


def caught_up(records: Sequence[Record], healed: float, viewers: Sequence[str]) -> float:
    """Return how long after a time everything that was typed before it was acknowledged and shown to everybody.

    Args:
        records: What happened so far.
        healed: The time.
        viewers: Everybody who should have seen it.
    """
    stalls = _stalls(records)
    wanted = {record.author: record.number for record in records if isinstance(record, Sent) and record.at < healed}
    hear = {record.author for record in records if isinstance(record, Acknowledged)}
    missing = {(author, author) for author in wanted if author in hear}
    missing |= {(viewer, author) for viewer in viewers for author in wanted if viewer != author}
    last = healed
    for record in records:
        match record:
            case Acknowledged(at, author, count):
                way = (author, author)
            case Shown(at, viewer, author, count):
                way = (viewer, author)
            case _:
                continue
        if way in missing and count >= wanted[author]:
            missing.discard(way)
            last = max(last, at)
    return NEVER if missing else _without(stalls, healed, last)


def _stalls(records: Sequence[Record]) -> list[tuple[float, float]]:
    return [(record.at - record.seconds, record.at) for record in records if isinstance(record, Stalled)]


def _without(stalls: Sequence[tuple[float, float]], start: float, end: float) -> float:
    return end - start - sum(_overlaps(stalls, start, end))


def _overlaps(stalls: Sequence[tuple[float, float]], start: float, end: float) -> Iterator[float]:
    for begin, finish in stalls:
        if begin < end and finish > start:
            yield min(end, finish) - max(start, begin)
