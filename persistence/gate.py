"""Whose turn it is to write."""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType


class Gate:
    """A lock for one event loop, first come, first served, that can also be taken without a task to wait in.

    asyncio's lock is taken by a coroutine only; the journal's commit would need a task and two turns of the loop for
    what is nearly always free.
    """

    def __init__(self) -> None:
        self._is_taken = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    def locked(self) -> bool:
        """Whether it is somebody's turn."""
        return self._is_taken

    def take_at_once(self) -> bool:
        """Take the gate if nobody has it; answers whether it was taken. Whoever took it calls ``release``."""
        if self._is_taken:
            return False
        self._is_taken = True
        return True

    async def take(self) -> None:
        """Wait for the gate and take it."""
        if self.take_at_once():
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()
            raise

    def release(self) -> None:
        """Let the next one in."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._is_taken = False

    async def __aenter__(self) -> None:
        await self.take()

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
