"""Background tasks with an owner.

Every task started here is kept, its failure is logged with a name, and whoever closes the owner waits for the end of
all of them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

from server.telemetry import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

_log = get_logger(__name__)

R = TypeVar("R")

CANCEL_AGAIN_SECONDS: Final = 0.1


class Tasks:
    """A set of running tasks. Unlike an `asyncio.TaskGroup`, one that fails leaves the others alone."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[object, object, None], *, name: str) -> asyncio.Task[None]:
        """Starts work; `name` stands in the log if it fails."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def spawn_forever(self, step: Callable[[], Coroutine[object, object, None]], *, name: str) -> asyncio.Task[None]:
        """Runs a step again and again, which waits by itself; one that fails is logged, and the next one comes."""
        return self.spawn(self._repeat(step, name), name=name)

    async def _repeat(self, step: Callable[[], Coroutine[object, object, None]], name: str) -> None:
        while True:
            try:
                await step()
            except Exception:  # noqa: BLE001 - a defect; without its ticker a whole node would stand still
                _log.exception("step_failed", task=name)

    async def close(self) -> None:
        """Cancels whatever still runs and waits for it."""
        await _end_all(self._running)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("task_failed", task=task.get_name(), exc_info=error)


async def side_by_side(*works: tuple[str, Coroutine[object, object, R]]) -> list[R]:
    """Runs works, each with a name, until all have ended or one fails; answers what they answer, or raises what it did.

    Unlike an `asyncio.TaskGroup` it does not rely on one cancellation.
    """
    tasks = [asyncio.get_running_loop().create_task(work, name=name) for name, work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        errors = [error for task in tasks if task.done() and (error := task.exception()) is not None]
        if errors:
            raise errors[0]
        return [task.result() for task in tasks]
    finally:
        await _end_all(tasks)
        for task in tasks:
            # What fails while it ends, or beside the first, is part of the same end; unasked, asyncio complains of it.
            _ = task.cancelled() or task.exception()


async def _end_all(tasks: Iterable[asyncio.Task[R]]) -> None:
    """Cancels tasks until each has ended.

    In Python 3.11 `asyncio.wait_for` swallows a cancellation that comes in the same turn as its answer; whoever cancels
    once waits for ever then (https://github.com/python/cpython/issues/86296).
    """
    running = {task for task in tasks if not task.done()}
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=CANCEL_AGAIN_SECONDS)
