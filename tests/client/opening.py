"""Opening prompts of a small server without waiting for time to pass."""

import asyncio
from contextlib import AbstractAsyncContextManager
from random import Random

from client.connection import PRESENCE_RENEWAL_SECONDS, Token
from client.peer import Prompt, connect
from tests.client.small_server import SmallServer

TOKEN = "token"


class Naps:
    """Sleeps for no time, but for the long ones between two repetitions of the presence, which it ends on demand."""

    def __init__(self) -> None:
        self.taken: list[float] = []
        self.renewals = asyncio.Semaphore(0)

    async def __call__(self, seconds: float) -> None:
        if seconds == PRESENCE_RENEWAL_SECONDS:
            await self.renewals.acquire()
            return
        self.taken.append(seconds)
        await asyncio.sleep(0)


def opened(
    server: SmallServer, naps: Naps | None = None, *, token: Token = TOKEN, leave_seconds: float = 10.0
) -> AbstractAsyncContextManager[Prompt]:
    return connect(server.url, "p1", token=token, leave_seconds=leave_seconds, jitter=Random(1), sleep=naps or Naps())
