"""A quiet room is flushed at once, a busy one in a rhythm; nothing waits longer than it says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import pytest

from server.pace import FEW_MESSAGES, LARGE_BATCH, LONGEST_PACE_OF_FEW_SECONDS, PACE_SECONDS, Pace


class Planned:
    """A call that may be cancelled."""

    def __init__(self, when: float, call: Callable[[], None]) -> None:
        self.when = when
        self.call = call
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class HandLoop:
    """A loop whose clock the test moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self._planned: list[Planned] = []

    def time(self) -> float:
        return self.now

    def call_soon(self, call: Callable[[], None]) -> Planned:
        return self.call_at(self.now, call)

    def call_at(self, when: float, call: Callable[[], None]) -> Planned:
        self._planned.append(Planned(when, call))
        return self._planned[-1]

    def go_to(self, now: float) -> None:
        self.now = now
        due = [planned for planned in self._planned if planned.when <= now]
        self._planned = [planned for planned in self._planned if planned.when > now]
        for planned in due:
            if not planned.is_cancelled:
                planned.call()


class Paced:
    def __init__(self) -> None:
        self.loop = HandLoop()
        self.flushes: list[float] = []
        self.pace = Pace(
            cast("asyncio.AbstractEventLoop", self.loop), lambda: self.flushes.append(round(self.loop.now - 100, 6))
        )

    def at(self, milliseconds: float) -> Paced:
        self.loop.go_to(100 + milliseconds / 1000)
        return self


@pytest.fixture
def paced() -> Paced:
    return Paced()


def test_the_first_edit_goes_in_the_next_turn_and_so_does_each_after_a_pause(paced: Paced) -> None:
    for now in (0, 20, 40):
        paced.at(now).pace.ask(1, 2)
        paced.pace.ask(2, 2)
        paced.at(now)
    assert paced.flushes == [0, 0.02, 0.04]


def test_what_follows_quickly_waits_for_the_rhythm(paced: Paced) -> None:
    paced.pace.ask(FEW_MESSAGES, 50)
    paced.at(1).pace.ask(FEW_MESSAGES, 50)
    paced.at(4.9)
    assert paced.flushes == [0.001]
    paced.at(1.01 + PACE_SECONDS * 1000)
    assert paced.flushes == [0.001, pytest.approx(0.005, abs=1e-4)]


def test_two_who_type_in_turn_do_not_wait(paced: Paced) -> None:
    for now in range(5):
        paced.at(now).pace.ask(1, 2)
        paced.at(now)
    assert paced.flushes == [0, 0.001, 0.002, 0.003, 0.004]


def test_the_more_read_the_longer_it_pauses(paced: Paced) -> None:
    paced.pace.ask(FEW_MESSAGES, 1_000)
    paced.at(0).pace.ask(FEW_MESSAGES, 1_000)
    paced.at(19)
    assert paced.flushes == [0]
    paced.at(20)
    assert paced.flushes == [0, 0.02]


def busy(paced: Paced) -> Paced:
    """A room of a hundred in which somebody types every few milliseconds, just flushed."""
    waiting = 0
    for now in range(0, 400, 5):
        flushes = len(paced.at(now).flushes)
        waiting += 1
        paced.pace.ask(waiting, 100)
        paced.at(now)
        waiting = 0 if len(paced.flushes) > flushes else waiting
    paced.at(420).at(430).pace.ask(FEW_MESSAGES, 100)
    paced.at(430)
    assert paced.flushes[-1] == 0.43
    return paced


def test_few_messages_for_many_readers_wait_longer_where_more_come(paced: Paced) -> None:
    busy(paced).pace.ask(1, 100)
    paced.at(441)
    assert paced.flushes[-1] == 0.43
    paced.pace.ask(FEW_MESSAGES, 100)
    paced.at(441)
    assert paced.flushes[-1] == 0.441


def test_they_wait_no_longer_than_nobody_sees(paced: Paced) -> None:
    busy(paced).pace.ask(1, 100)
    paced.at(430 + LONGEST_PACE_OF_FEW_SECONDS * 1000 + 0.01)
    assert paced.flushes[-1] == pytest.approx(0.43 + LONGEST_PACE_OF_FEW_SECONDS, abs=1e-4)


def test_where_hardly_anybody_types_nothing_is_waited_for(paced: Paced) -> None:
    paced.pace.ask(1, 40)
    paced.at(0).pace.ask(1, 40)
    paced.at(PACE_SECONDS * 1000 + 0.01)
    assert paced.flushes == [0, pytest.approx(PACE_SECONDS, abs=1e-4)]


def test_a_large_batch_does_not_wait(paced: Paced) -> None:
    paced.pace.ask(1, 50)
    paced.at(0).pace.ask(1, 50)
    paced.at(1).pace.ask(LARGE_BATCH, 50)
    paced.at(1)
    assert paced.flushes == [0, 0.001]
    paced.at(50)
    assert len(paced.flushes) == 2


def test_a_room_that_ends_hurries_or_is_left_alone(paced: Paced) -> None:
    paced.pace.ask(1, 50)
    paced.at(0).pace.ask(1, 50)
    paced.pace.hurry()
    paced.at(1)
    assert paced.flushes == [0, 0.001]
    paced.pace.ask(1, 50)
    paced.pace.close()
    paced.at(50)
    assert len(paced.flushes) == 2
