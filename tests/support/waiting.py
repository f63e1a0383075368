"""Waiting for a condition instead of for a time."""

import asyncio
import inspect
import time
from collections.abc import Callable

DEADLINE_SECONDS = 60.0
"""Long enough for a machine with two cores and much else to do; a test that passes never gets near it."""

_FIRST_PAUSE_SECONDS = 0.002
_LONGEST_PAUSE_SECONDS = 0.1


class WaitedInVain(AssertionError):
    """The condition did not come true in time; the message says what was awaited and what was there instead."""

    def __init__(self, what: str, seconds: float, last: object) -> None:
        super().__init__(f"waited {seconds:g} s for {what}; the last value was {last!r}")


async def wait_until(condition: Callable[[], object], *, what: str, seconds: float = DEADLINE_SECONDS) -> None:
    """Return as soon as the condition is true, trying again with growing pauses.

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
        if inspect.isawaitable(value):
            value = await value
        if value:
            return
        if time.monotonic() >= deadline:
            raise WaitedInVain(what, seconds, value)
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)


def wait_until_sync(condition: Callable[[], object], *, what: str, seconds: float = DEADLINE_SECONDS) -> None:
    """Do as `wait_until` does, outside an event loop; the arguments and the error are the same."""
    deadline = time.monotonic() + seconds
    pause = _FIRST_PAUSE_SECONDS
    while not (value := condition()):
        if time.monotonic() >= deadline:
            raise WaitedInVain(what, seconds, value)
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
