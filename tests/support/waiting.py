"""Waiting for a condition instead of for a time."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")

DEADLINE_SECONDS = 20.0
"""Long enough for a loaded machine with two cores; a test that passes never gets near it."""

_FIRST_PAUSE_SECONDS = 0.002
_LONGEST_PAUSE_SECONDS = 0.1


class WaitedInVain(AssertionError):
    """The condition did not come true in time; the message says what was awaited and what was there instead."""

    def __init__(self, what: str, seconds: float, last: object) -> None:
        super().__init__(f"waited {seconds:g} s for {what}; the last value was {last!r}")


@overload
async def wait_until(condition: Callable[[], Awaitable[T]], *, what: str, seconds: float = DEADLINE_SECONDS) -> T: ...


@overload
async def wait_until(condition: Callable[[], T], *, what: str, seconds: float = DEADLINE_SECONDS) -> T: ...


async def wait_until(condition: Callable[[], object], *, what: str, seconds: float = DEADLINE_SECONDS) -> object:
    """Return the condition's first true value, trying again with growing pauses.

    Args:
        condition: Called again and again; may be a coroutine function. What it raises ends the waiting.
        what: What is awaited, for the message when it does not come.
        seconds: When to give up.

    Raises:
        WaitedInVain: The condition was still false at the deadline.
    """
    deadline = time.monotonic() + seconds
    pause = _FIRST_PAUSE_SECONDS
    while True:
        value = condition()
        result = await value if inspect.isawaitable(value) else value
        if result:
            return result
        if time.monotonic() >= deadline:
            raise WaitedInVain(what, seconds, result)
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)


def wait_until_sync(condition: Callable[[], T], *, what: str, seconds: float = DEADLINE_SECONDS) -> T:
    """Do as `wait_until` does, outside an event loop; the arguments and the error are the same."""
    deadline = time.monotonic() + seconds
    pause = _FIRST_PAUSE_SECONDS
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() >= deadline:
            raise WaitedInVain(what, seconds, result)
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
