"""One connection that is passed on: two ends, and a lane in each direction between them."""

import asyncio
import socket
import struct
from collections.abc import Callable
from random import Random

from tests.faults.cluster.lane import Conditions, Direction, End, Lane

NO_LINGER = struct.pack("ii", 1, 0)
"""The SO_LINGER of a socket that says RST instead of FIN when it is closed, and forgets what it has not sent."""


class Passage:
    """What lies between a client and a server.

    Args:
        conditions: What happens to bytes, by direction.
        rng: Draws the jitter.
        on_question: Told of what the client sends.
        on_answer: Told of every answer before it is passed on; it is lost, and the connection too, where that is True.
        on_gone: Told when both ends are gone.
    """

    def __init__(
        self,
        conditions: dict[Direction, Conditions],
        rng: Random,
        *,
        on_question: Callable[["Passage", bytes], None],
        on_answer: Callable[["Passage"], bool],
        on_gone: Callable[["Passage"], None],
    ) -> None:
        self.client = _End(self)
        self.server = _End(self)
        self.to_server = Lane(conditions[Direction.TO_SERVER], rng, self._ended)
        self.to_client = Lane(conditions[Direction.TO_CLIENT], rng, self._ended)
        self.node: int | None = None
        self.ended = False
        self.is_marked = False
        self.asked_since = False
        self._lanes_at_their_end = 0
        self._on_question = on_question
        self._on_answer = on_answer
        self._on_gone = on_gone
        self.client.lead(self.to_server, self.to_client)
        self.server.lead(self.to_client, self.to_server)

    @property
    def client_has_ended(self) -> bool:
        """Whether the client has nothing more to say, or is gone."""
        return self.to_server.sender_ended

    @property
    def damaged(self) -> bool:
        """Whether something was swallowed."""
        return self.to_server.damaged or self.to_client.damaged

    def run(self) -> None:
        """Pass on what may pass now."""
        self.to_server.run()
        self.to_client.run()

    def reset(self) -> None:
        """End it at once at both ends, as when a machine in between has forgotten it."""
        self.ended = True
        for end in (self.client, self.server):
            end.reset()

    def break_off(self, direction: Direction, share: float) -> None:
        """End it in the middle of what comes next in a direction, after the given share of those bytes."""
        lane = self.to_server if direction is Direction.TO_SERVER else self.to_client
        lane.break_after = share

    def came_in(self, data: bytes, lane: Lane) -> None:
        """Take what an end has received into the lane that begins there."""
        if lane is self.to_server:
            self._on_question(self, data)
        elif self._on_answer(self):
            self.reset()
            return
        lane.take(data)

    def lost(self) -> None:
        """Hear from an end that it is gone."""
        if not self.client.is_open and not self.server.is_open:
            self.ended = True
            self._on_gone(self)

    def _ended(self, end: End) -> None:
        self._lanes_at_their_end += 1
        if end is End.RESET or self._lanes_at_their_end == len((self.client, self.server)):
            # What was passed on already is still delivered.
            self.ended = True
            for one in (self.client, self.server):
                one.close()


class _End(asyncio.Protocol):
    """The end of a passage at which somebody is connected to us."""

    def __init__(self, passage: Passage) -> None:
        self.is_open = False
        self._passage = passage
        self._transport: asyncio.Transport | None = None

    def lead(self, outgoing: Lane, incoming: Lane) -> None:
        """Say which lane begins here and which one ends here."""
        self._outgoing = outgoing
        self._incoming = incoming

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.is_open = True
        self._transport = transport
        if self._passage.ended:
            self.reset()
            return
        self._outgoing.source = self._incoming.target = transport
        self._incoming.run()
        self._outgoing.run()

    def data_received(self, data: bytes) -> None:
        self._passage.came_in(data, self._outgoing)

    def eof_received(self) -> bool:
        self._outgoing.take(End.QUIET)
        # The other way stays open.
        return True

    def pause_writing(self) -> None:
        self._incoming.target_is_full(full=True)

    def resume_writing(self) -> None:
        self._incoming.target_is_full(full=False)

    def connection_lost(self, _: Exception | None) -> None:
        self.is_open = False
        self._incoming.die()
        if not self._passage.ended:
            self._outgoing.take(End.RESET)
        self._passage.lost()

    def close(self) -> None:
        if self._transport:
            self._transport.close()

    def reset(self) -> None:
        transport = self._transport
        if transport is None or not self.is_open:
            return
        connected = transport.get_extra_info("socket")
        if connected is not None and connected.fileno() >= 0:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        transport.abort()
