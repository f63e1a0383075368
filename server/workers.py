"""Work that is too heavy for the event loop, in one process beside the server.

The engine holds the interpreter's lock while it merges or replays, so a thread would stall every room; another process
does not. What is light runs at once, in place: a hop costs more than the work.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from server.errors import Overloaded
from server.limits import HEAVY_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

# Work that ends two processes would end the third.
_ATTEMPTS: Final = 2
# Where both want one processor, the server gets three times as much of it.
_NICENESS: Final = 5

P = ParamSpec("P")
T = TypeVar("T")


class Workers:
    """Runs functions of bytes where they disturb nobody. Functions and arguments have to be picklable."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    async def run(self, weight: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs a function; `weight` is the number of bytes it works on, and decides where it runs.

        Raises whatever the function raises. A worker that dies (the engine can take a process with it) is replaced,
        and the work tried once more; when that one dies too, Overloaded.
        """
        if weight <= HEAVY_BYTES:
            return function(*args, **kwargs)
        for _ in range(_ATTEMPTS):
            pool = self._pool = self._pool or _new_pool()
            try:
                return await asyncio.wrap_future(pool.submit(function, *args, **kwargs))
            except BrokenProcessPool:
                self._replace(pool)
        message = "The process for heavy work ended, and so did the next one."
        raise Overloaded(message)

    def close(self) -> None:
        """Ends the worker process, if one was ever needed."""
        if self._pool is not None:
            self._replace(self._pool)

    def _replace(self, pool: ProcessPoolExecutor) -> None:
        """Lets go of a pool. All who waited for a dead worker come here; the first alone finds it in its place."""
        if self._pool is pool:
            self._pool = None
            pool.shutdown(wait=False, cancel_futures=True)


def _new_pool() -> ProcessPoolExecutor:
    # Spawned, not forked: a fork would share the database's descriptors and locks.
    return ProcessPoolExecutor(
        max_workers=1, mp_context=multiprocessing.get_context("spawn"), initializer=_follow_parent
    )


def _follow_parent() -> None:
    """Lets the parent alone answer Ctrl-C, comes second to it, and ends this process when the parent was killed."""
    os.nice(_NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_exit_after, args=(parent,), daemon=True).start()


def _exit_after(parent: multiprocessing.process.BaseProcess) -> None:
    with contextlib.suppress(OSError):
        parent.join()
    os._exit(0)
