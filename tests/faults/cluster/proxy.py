"""A TCP line between somebody and a server, on which everything that happens to lines can be made to happen.

Rules:
- Faults add up until `heal`, which ends all of them at once.
- Who connects while the line is stalled or swallows is accepted, as by a full queue, and reaches the server when the
  line is healed, unless they have given up by then.
- Whatever the order of faults, a connection that goes on after them has lost nothing.
"""

import asyncio
import socket
from collections.abc import Sequence
from random import Random
from types import TracebackType
from typing import Self

from tests.faults.cluster.lane import Conditions, Direction
from tests.faults.cluster.listener import Listener
from tests.faults.cluster.passage import Passage


class Proxy:
    """Passes everything between those who connect to its port and a server.

    Args:
        target_port: The server's port on this machine; it may come and go.
        rng: Decides what is random about the faults.
        mark: Bytes by which the connections are told that `lose_answers` is about; see there.
    """

    def __init__(self, target_port: int, *, rng: Random | None = None, mark: bytes = b"") -> None:
        self._target_port = target_port
        self._rng = rng or Random(0)
        self._mark = mark
        self._conditions = {one: Conditions() for one in (Direction.TO_SERVER, Direction.TO_CLIENT)}
        self._passages: dict[Passage, None] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._lets_through = asyncio.Event()
        self._lets_through.set()
        self._nobody_is_there = asyncio.Event()
        self._nobody_is_there.set()
        self._loses_only_marked = False
        self._listener = Listener(self._accepted)
        self.answers_to_lose = 0

    @property
    def port(self) -> int:
        """Where to connect; it stays the same for life."""
        return self._listener.port

    @property
    def open_connections(self) -> int:
        """How many connections there are, those who still wait for the server included."""
        return len(self._passages)

    @property
    def bytes_held(self) -> int:
        """How many bytes are under way; of each connection and direction no more than a few times 64 KiB."""
        return sum(passage.to_server.bytes_held + passage.to_client.bytes_held for passage in self._passages)

    def bytes_passed(self, direction: Direction = Direction.BOTH) -> int:
        """Return how many bytes were passed on since the start."""
        return sum(conditions.passed for one, conditions in self._conditions.items() if one in direction)

    async def start(self) -> Self:
        """Accept connections."""
        self._listener.open()
        return self

    async def close(self) -> None:
        """End every connection and give the port back."""
        self._listener.close()
        for task in self._opening:
            task.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        self.drop_connections()
        await self._nobody_is_there.wait()

    def delay(self, seconds: float, *, jitter: float = 0.0) -> None:
        """Have every byte take so many seconds in each direction, and up to `jitter` more; order is kept."""
        for conditions in self._conditions.values():
            conditions.delay, conditions.jitter = seconds, jitter

    def throttle(self, bytes_per_second: float) -> None:
        """Let no more than this pass, in each direction, of all connections together."""
        for conditions in self._conditions.values():
            conditions.bytes_per_second = bytes_per_second
        self._run()

    def stall(self, direction: Direction = Direction.BOTH) -> None:
        """Keep everything that goes in a direction, and pass it on when the line is healed; nobody is told."""
        for conditions in self._in(direction):
            conditions.stalled = True
        self._lets_through.clear()

    def drop(self, direction: Direction = Direction.BOTH) -> None:
        """Swallow everything that goes in a direction; `heal` resets the connections that have lost something."""
        for conditions in self._in(direction):
            conditions.swallowing = True
        self._lets_through.clear()

    def cut(self) -> None:
        """Reset every connection and refuse new ones."""
        self._listener.refuse()
        self.drop_connections()

    def lose_answers(self, count: int, *, marked: bool = False) -> None:
        """Let the server hear what it is asked, and lose its next answers, each with its connection.

        Args:
            count: How many answers.
            marked: Count only answers to what was asked over a connection after the proxy's `mark` was sent over it.
        """
        self.answers_to_lose = count
        self._loses_only_marked = marked

    def flap(self, count: int) -> int:
        """Choose connections, and end each in the middle of what it carries next; returns how many were chosen."""
        chosen = self._rng.sample(list(self._passages), k=min(count, len(self._passages)))
        for passage in chosen:
            passage.break_off(self._rng.choice((Direction.TO_SERVER, Direction.TO_CLIENT)), self._rng.random())
        return len(chosen)

    def drop_connections(self) -> None:
        """Reset every connection; new ones are accepted as before."""
        for passage in list(self._passages):
            passage.reset()

    def heal(self) -> None:
        """End every fault, and pass on what was kept."""
        self.answers_to_lose = 0
        for conditions in self._conditions.values():
            conditions.heal()
        for passage in list(self._passages):
            if passage.damaged:
                passage.reset()
            else:
                passage.run()
        self._lets_through.set()
        self._listener.open()

    def _targets(self) -> Sequence[tuple[int, int]]:
        """Return where a new connection is taken, by number and port; the first that accepts it gets it."""
        return [(0, self._target_port)]

    def _in(self, direction: Direction) -> list[Conditions]:
        return [conditions for one, conditions in self._conditions.items() if one in direction]

    def _run(self) -> None:
        for passage in list(self._passages):
            passage.run()

    def _accepted(self, accepted: socket.socket) -> None:
        passage = Passage(
            self._conditions, self._rng, on_question=self._asked, on_answer=self._answered, on_gone=self._gone
        )
        self._passages[passage] = None
        self._nobody_is_there.clear()
        task = asyncio.create_task(self._open(passage, accepted))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open(self, passage: Passage, accepted: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: passage.client, accepted)
            await self._reach_a_server(passage)
        finally:
            if not passage.client.is_open:
                accepted.close()
                self._gone(passage)

    async def _reach_a_server(self, passage: Passage) -> None:
        if not self._lets_through.is_set():
            await self._lets_through.wait()
            if passage.client_has_ended:
                passage.reset()
        for number, port in self._targets():
            if passage.ended:
                return
            passage.node = number
            try:
                await asyncio.get_running_loop().create_connection(lambda: passage.server, "127.0.0.1", port)
            except OSError:
                continue
            return
        passage.reset()

    def _asked(self, passage: Passage, data: bytes) -> None:
        if passage.is_marked:
            passage.asked_since = True
        elif self._mark and self._mark in data:
            passage.is_marked = True

    def _answered(self, passage: Passage) -> bool:
        if self.answers_to_lose <= 0 or (self._loses_only_marked and not passage.asked_since):
            return False
        self.answers_to_lose -= 1
        return True

    def _gone(self, passage: Passage) -> None:
        self._passages.pop(passage, None)
        if not self._passages:
            self._nobody_is_there.set()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
