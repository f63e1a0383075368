"""Background tasks with an owner.

Every task started here is kept, its failure is logged with a name, and whoever closes the owner waits for the end of
all of them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from server.telemetry import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

_log = get_logger(__name__)


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
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("task_failed", task=task.get_name(), exc_info=error)
