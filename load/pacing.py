"""Doing things when they are due, whatever the server does.

The timers of event loops count whole milliseconds, which is as long as a good server takes; so on Linux a timer of the
system rings, to the microsecond, on the clock that `perf_counter` shows.
"""

from __future__ import annotations

import asyncio
import ctypes
import heapq
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from time import perf_counter
from typing import Final

Deed = Callable[[float], None]
"""Called with the time it is due at, in seconds of `perf_counter`."""

_CLOCK_MONOTONIC: Final = 1
_NON_BLOCKING_CLOSED_ON_EXEC: Final = os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)
_ABSOLUTE: Final = 1
_RING_BYTES: Final = 8


class _Times(ctypes.Structure):
    """`struct itimerspec`: how often, and when first."""

    _fields_ = (
        ("every_seconds", ctypes.c_long),
        ("every_nanoseconds", ctypes.c_long),
        ("seconds", ctypes.c_long),
        ("nanoseconds", ctypes.c_long),
    )


class _Alarm:
    """Waits for a point in time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rang: asyncio.Future[None] | None = None
        self._system = ctypes.CDLL(None) if sys.platform == "linux" else None
        self._timer = -1
        if self._system is not None:
            self._timer = self._system.timerfd_create(_CLOCK_MONOTONIC, _NON_BLOCKING_CLOSED_ON_EXEC)
            self._loop.add_reader(self._timer, self._ring)

    async def until(self, when: float) -> None:
        """Return at that time of `perf_counter`, or when everybody else had a turn if it is past."""
        if self._system is None or when <= perf_counter():
            await asyncio.sleep(max(when - perf_counter(), 0))
            return
        seconds, rest = divmod(when, 1)
        times = _Times(0, 0, int(seconds), int(rest * 1e9))
        self._rang = self._loop.create_future()
        self._system.timerfd_settime(self._timer, _ABSOLUTE, ctypes.byref(times), None)
        await self._rang

    def close(self) -> None:
        """Ring no more."""
        if self._system is not None:
            self._loop.remove_reader(self._timer)
            os.close(self._timer)

    def _ring(self) -> None:
        os.read(self._timer, _RING_BYTES)
        if self._rang is not None and not self._rang.done():
            self._rang.set_result(None)


@contextmanager
def _alarm() -> Iterator[_Alarm]:
    alarm = _Alarm()
    try:
        yield alarm
    finally:
        alarm.close()


async def play(schedule: Iterable[tuple[float, Deed]]) -> None:
    """Do everything when it is due, one after another; what is late is done at once.

    Args:
        schedule: deeds in the order of their times, in seconds of `perf_counter`.
    """
    with _alarm() as alarm:
        now = perf_counter()
        for due, deed in schedule:
            if due > now:
                await alarm.until(due)
                now = perf_counter()
            deed(due)


def regularly(
    deeds: Iterable[Deed], rate: float, start: float, seconds: float, random: Random
) -> list[tuple[float, Deed]]:
    """Each deed so often, for a while, each beginning at a time of its own.

    Args:
        deeds: what is done.
        rate: how often a second each is done.
        start: when the while begins, in seconds of `perf_counter`.
        seconds: how long it is.
        random: for when each begins.
    """
    period = 1 / rate
    rows = []
    for deed in deeds:
        first = start + random.random() * period
        count = math.ceil(max(start + seconds - first, 0) / period)
        rows.append([(first + period * number, deed) for number in range(count)])
    return list(heapq.merge(*rows, key=lambda one: one[0]))


def at_any_time(
    deeds: Sequence[Deed], rate: float, start: float, seconds: float, random: Random
) -> list[tuple[float, Deed]]:
    """Deeds at random, as of people who know nothing of each other: at any time, not one after another.

    Args:
        deeds: any of them may be done, any number of times.
        rate: how many are done a second, in all.
        start: when the while begins, in seconds of `perf_counter`.
        seconds: how long it is.
        random: for when, and which.
    """
    dues = sorted(random.uniform(start, start + seconds) for _ in range(round(rate * seconds)))
    return [(due, random.choice(deeds)) for due in dues]
