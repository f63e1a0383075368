"""The same prompts for programs without an event loop; see ``client.prompts``.

::

    with BlockingPrompts("https://prompts.example.com", token) as prompts:
        prompt = prompts.get_prompt("Support triage", label="production", fallback="You are helpful.")
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self
from uuid import UUID

from client.connection import Token
from client.errors import ClientClosed
from client.prompts import Prompts, PromptText


class BlockingPrompts:
    """Reads prompts and remembers them; may be used from several threads at once.

    The requests are made in a thread of its own.

    Args:
        base_url: where the server is.
        token: an access token, or a function that is asked for one before every request.
        timeout: how long a request may take, in seconds.
        clock: answers seconds that only go forward.
    """

    def __init__(
        self, base_url: str, token: Token, *, timeout: float = 10.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="promptroom client", daemon=True)
        self._prompts = Prompts(base_url, token, timeout=timeout, clock=clock)
        # What is handed to a loop that has ended would be waited for without end.
        self._lock = threading.Lock()
        self._is_closed = False
        self._thread.start()

    def get_prompt(
        self, prompt: str | UUID, *, label: str | None = None, version: str | None = None, fallback: str | None = None
    ) -> PromptText:
        """Return the text of a prompt, as ``Prompts.get_prompt`` does; after ``close``, raise ``ClientClosed``."""
        asked = self._prompts.get_prompt(prompt, label=label, version=version, fallback=fallback)
        with self._lock:
            if self._is_closed:
                asked.close()
                raise ClientClosed("the client was closed")
            answer = asyncio.run_coroutine_threadsafe(asked, self._loop)
        return answer.result()

    def close(self) -> None:
        """End what is on its way, close the connections and end the thread."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        await self._prompts.close()
        # Whoever asked before hears how it went.
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
