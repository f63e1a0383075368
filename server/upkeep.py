"""What time asks of a connection, and when: most have nothing to do in most seconds, and there may be thousands.

A connection is looked at when its time has come, and every second while something of it waits. Now and then the socket
is pinged (RFC 6455 §5.5.2); who has sent nothing at all between two pings is gone, whatever the network says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.limits import KEEPALIVE_SECONDS, WEBSOCKET_PING_SECONDS

if TYPE_CHECKING:
    from server.outbox import Sink


class Upkeep:
    """The appointments of one connection.

    Arguments: `sink` is its socket; `now` in the seconds of the surroundings, as everywhere here.
    """

    __slots__ = ("_pinged_at", "_sink", "due_at")

    def __init__(self, sink: Sink, now: float) -> None:
        self._sink = sink
        self._pinged_at = now
        self.due_at = now
        """When the connection has to be looked at next."""

    def soon(self) -> None:
        """Something waits for the next tick."""
        self.due_at = 0.0

    def is_gone(self, now: float) -> bool:
        """Answers whether the other end has been silent for a whole ping; pings it when it is time to."""
        if now - self._pinged_at < WEBSOCKET_PING_SECONDS:
            return False
        self._pinged_at = now
        return not self._sink.ping()

    def plan(self, now: float, *, heard_at: float, expires_in: float) -> None:
        """Makes the next appointment: silence to break, a ping, or the end of the token."""
        pinged_next = self._pinged_at + WEBSOCKET_PING_SECONDS
        self.due_at = min(heard_at + KEEPALIVE_SECONDS, pinged_next, now + expires_in)
