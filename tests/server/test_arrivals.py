"""What is committed is shown in the order of the journal, and what waits for that is bounded."""

import asyncio
import random

import pytest

from crdt.summary import UpdateSummary
from server import arrivals as module
from server.arrivals import Arrivals, Elsewhere
from server.errors import StoreUnavailable

NOTHING = UpdateSummary((), {})


def elsewhere(first: int, last: int, size: int = 1) -> Elsewhere:
    return Elsewhere(first, last, (b"x" * size,), (NOTHING,), {})


def test_in_whatever_order_they_come_they_are_taken_in_the_order_of_the_journal(rng: random.Random) -> None:
    ranges = [(1, 3), (4, 4), (5, 9), (10, 10), (11, 20)]
    for _ in range(50):
        waiting, head, taken = Arrivals(), 0, []
        for first, last in rng.sample(ranges, k=len(ranges)):
            waiting.add(elsewhere(first, last))
            while (arrival := waiting.take(head)) is not None:
                taken.append((arrival.first_seq, arrival.last_seq))
                head = arrival.last_seq
        assert taken == ranges
        assert waiting.gap_ends is None


def test_what_is_shown_already_is_forgotten() -> None:
    waiting = Arrivals()
    waiting.add(elsewhere(2, 3))
    waiting.add(elsewhere(8, 8))
    assert waiting.take(5) is None
    assert waiting.gap_ends == 8


def test_what_does_not_fit_is_left_to_the_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ARRIVALS_BYTES", 10)
    waiting = Arrivals()
    for seq in range(2, 9):
        waiting.add(elsewhere(seq, seq, size=4))
    assert waiting.known_seq == 8
    taken = [arrival.first_seq for seq in range(1, 9) if (arrival := waiting.take(seq)) is not None]
    assert taken == [2, 3]
    waiting.add(elsewhere(20, 20, size=10))
    assert waiting.gap_ends == 20, "what was taken has made room"


async def test_those_who_wait_are_told_when_it_is_shown_or_cannot_be() -> None:
    waiting = Arrivals()
    near, far = (asyncio.ensure_future(waiting.wait_for(seq)) for seq in (3, 9))
    await asyncio.sleep(0)
    waiting.shown(5)
    await near
    assert not far.done()
    waiting.clear()
    with pytest.raises(StoreUnavailable):
        await far
