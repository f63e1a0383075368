r"""Prompts for programs that use them: read by label or by version, and remembered.

::

    async with Prompts("https://prompts.example.com", token) as prompts:
        prompt = await prompts.get_prompt("Support triage", label="production", fallback="You are helpful.")
        print(prompt.text)

Rules:

- a version that was read is served without a request for ever;
- what a label names is served without a request for a minute. After that it is served still, while one request in
  the background asks anew, and for as long as the server is away;
- callers that ask for the same at once share one request;
- the fallback is served where nothing was ever read and nothing can be. Whatever is served instead of the server's
  answer is logged.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from uuid import UUID

from client.connection import Token
from client.errors import ClientClosed, PromptNotFound, RequestFailed
from client.rest import PromptReader, Version

__all__ = ["PromptText", "Prompts"]

LATEST = "latest"
FRESH_SECONDS = 60.0
# After a failure the server is left alone for so long, whoever asks.
RETRY_SECONDS = 5.0
MAX_REMEMBERED = 1_000

_VERSION_ID = re.compile(r"[0-9a-f]{40}")
_log = logging.getLogger("promptroom.client")


@dataclass(frozen=True, slots=True)
class PromptText:
    """The text of a prompt.

    Args:
        text: a Dotprompt file, or the fallback.
        prompt_id: the prompt; None for a fallback.
        version_id: the version, which is a Git commit; None for a fallback.
        is_stale: whether it is older than a minute and may have been replaced since.
    """

    text: str
    prompt_id: UUID | None
    version_id: str | None
    is_stale: bool = False

    @property
    def is_fallback(self) -> bool:
        """Whether this is the fallback that the caller gave."""
        return self.version_id is None


_Key = tuple[str, str]


@dataclass(slots=True)
class _Entry:
    """What is known of one thing that was asked for.

    Args:
        version: what was read last, if ever.
        fresh_until: when that is a minute old, by the client's clock.
        failure: why the last request failed, if it did.
        rests_until: until when no other request is made, by the client's clock.
        asking: the request that is on its way.
    """

    version: Version | None = None
    fresh_until: float = -math.inf
    failure: RequestFailed | None = None
    rests_until: float = -math.inf
    asking: asyncio.Task[None] | None = None


class Prompts:
    """Reads prompts and remembers them; one for a program, used from one event loop.

    Args:
        base_url: where the server is, such as ``http://127.0.0.1:8000``.
        token: an access token, or a function that is asked for one before every request.
        timeout: how long a request may take, in seconds.
        clock: answers seconds that only go forward.
    """

    def __init__(
        self, base_url: str, token: Token, *, timeout: float = 10.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._reader = PromptReader(base_url, token, timeout=timeout)
        self._clock = clock
        self._entries: OrderedDict[_Key, _Entry] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def get_prompt(
        self, prompt: str | UUID, *, label: str | None = None, version: str | None = None, fallback: str | None = None
    ) -> PromptText:
        """Return the text of a prompt; its latest version where neither label nor version is given.

        Args:
            prompt: its id, or its name, which only one prompt may have.
            label: such as ``production``.
            version: a version's id.
            fallback: what to serve where nothing was ever read and nothing can be.

        Raises:
            RequestFailed: nothing was ever read, the request failed, and there is no fallback.
            ValueError: both a label and a version are given.
        """
        if label is not None and version is not None:
            raise ValueError("give a label or a version, not both")
        key = (str(prompt), version or label or LATEST)
        entry = self._entry(key)
        if not self._is_closed and entry.asking is None and self._clock() >= max(entry.fresh_until, entry.rests_until):
            entry.asking = self._ask(key, entry)
        if entry.version is None and entry.asking is not None:
            # Whoever stops waiting does not stop it for the others.
            await asyncio.wait([entry.asking])
        if entry.version is not None:
            is_stale = self._clock() >= entry.fresh_until
            return PromptText(entry.version.text, entry.version.prompt_id, entry.version.id, is_stale=is_stale)
        failure = entry.failure or ClientClosed("the client was closed before an answer came")
        if fallback is None:
            raise failure
        _log.warning("serving the fallback of %s at %s: %s", *key, failure)
        return PromptText(fallback, None, None)

    async def close(self) -> None:
        """End what is on its way and close the connections; what is remembered is served still."""
        self._is_closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._reader.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _entry(self, key: _Key) -> _Entry:
        """The entry of a key, which is now the last to be forgotten."""
        entry = self._entries.setdefault(key, _Entry())
        self._entries.move_to_end(key)
        if len(self._entries) > MAX_REMEMBERED:
            self._entries.popitem(last=False)
        return entry

    def _ask(self, key: _Key, entry: _Entry) -> asyncio.Task[None]:
        task = asyncio.create_task(self._refresh(key, entry), name=f"promptroom {key[0]} {key[1]}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _refresh(self, key: _Key, entry: _Entry) -> None:
        prompt, ref = key
        try:
            entry.version = await self._reader.read(prompt, ref, known=entry.version)
        except RequestFailed as failure:
            entry.failure = failure
            entry.rests_until = self._clock() + RETRY_SECONDS
            if isinstance(failure, PromptNotFound):
                # It was there and is not any more: that is an answer.
                entry.version, entry.fresh_until = None, -math.inf
            elif entry.version is not None:
                _log.warning("%s at %s could not be read anew: %s", prompt, ref, failure)
        else:
            entry.failure = None
            is_for_ever = _VERSION_ID.fullmatch(ref) is not None
            entry.fresh_until = math.inf if is_for_ever else self._clock() + FRESH_SECONDS
        finally:
            entry.asking = None
