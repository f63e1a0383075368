"""This node among the others: who else is there, and what they say.

Every node says each second that it is there. One that was not heard of for a few seconds is gone, and with it everybody
who was in its rooms; one that is stopped says so at once. While the bus is away nobody hears anybody, and after a few
seconds everybody is alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID, uuid4

from server import telemetry
from server.envelope import EnvelopeInvalid, Heartbeat, Leaving, NodeMessage, Seal

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.bus import Bus

_log = telemetry.get_logger(__name__)

# A node misses three heartbeats before the people on it are taken for gone.
SILENCE_SECONDS: Final = 3.5
# A node with another key says something each second; a line of the log now and then is enough.
COMPLAINT_SECONDS: Final = 60.0
_EVERYBODY: Final = "nodes"


class Neighbours(Protocol):
    """What a process does about its neighbours."""

    def heard(self, node_id: UUID, message: NodeMessage) -> None:
        """A node said something to all nodes."""

    def node_gone(self, node_id: UUID) -> None:
        """A node has left, or is not heard of any more."""

    def bus_changed(self, *, is_up: bool) -> None:
        """The bus was lost, or is back; what was said in between is gone."""


class Nodes:
    """The nodes of one deployment, as seen by one of them.

    Arguments: `bus` carries what is said; `secret` seals it; `clock` answers seconds that only go forward.
    """

    def __init__(self, bus: Bus, secret: bytes, clock: Callable[[], float]) -> None:
        self.node_id = uuid4()
        self.bus = bus
        self._clock = clock
        self._seal = Seal(secret, self.node_id)
        self._heard_at: dict[UUID, float] = {}
        self._neighbours: Neighbours | None = None
        self._complained_at = float("-inf")

    @property
    def are_many(self) -> bool:
        """Whether there can be other nodes."""
        return self.bus.is_shared

    @property
    def others(self) -> int:
        """How many other nodes are there."""
        return len(self._heard_at)

    async def start(self, neighbours: Neighbours) -> None:
        """Begins to listen; the other side may be away."""
        self._neighbours = neighbours
        if self.are_many:
            await self._listen(_EVERYBODY, self._heard_by_all)
            # By this the others name it when they find, lose or miss it.
            _log.info("node_starting", node=str(self.node_id))
        await self.bus.start(lambda is_up: neighbours.bus_changed(is_up=is_up))

    async def close(self) -> None:
        """Says goodbye, and hears nothing any more."""
        self.tell_all(Leaving())
        await self.bus.close()

    def tick(self) -> None:
        """Says that this node is there, and looks who else is."""
        if not self.are_many:
            return
        self.tell_all(Heartbeat())
        oldest = self._clock() - SILENCE_SECONDS
        for node_id in [node_id for node_id, heard_at in self._heard_at.items() if heard_at < oldest]:
            _log.warning("node_lost", node=str(node_id))
            self._forget(node_id)
        telemetry.NODES.set(1 + self.others)

    def tell_all(self, message: NodeMessage) -> None:
        """Says something to all nodes."""
        self._tell(_EVERYBODY, message)

    def tell(self, prompt_id: UUID, message: NodeMessage) -> None:
        """Says something to the nodes on which a prompt is live."""
        self._tell(_channel(prompt_id), message)

    async def listen(self, prompt_id: UUID, hear: Callable[[UUID, NodeMessage], None]) -> None:
        """Hears what is said of a prompt: all of it from the moment this returns, while the bus is up."""
        if self.are_many:
            await self._listen(_channel(prompt_id), hear)

    def forget(self, prompt_id: UUID) -> None:
        """Hears nothing of a prompt any more."""
        if self.are_many:
            self.bus.unsubscribe(_channel(prompt_id))

    def _tell(self, channel: str, message: NodeMessage) -> None:
        if self.are_many:
            self.bus.publish(channel, self._seal.close(channel, message))

    async def _listen(self, channel: str, hear: Callable[[UUID, NodeMessage], None]) -> None:
        def receive(payload: bytes) -> None:
            if self._seal.is_own(payload):
                return
            try:
                hear(*self._seal.open(channel, payload))
            except EnvelopeInvalid as error:
                telemetry.ENVELOPES_REJECTED.inc()
                self._complain(channel, error)

        await self.bus.subscribe(channel, receive)

    def _complain(self, channel: str, error: EnvelopeInvalid) -> None:
        now = self._clock()
        if now - self._complained_at >= COMPLAINT_SECONDS:
            self._complained_at = now
            _log.warning("envelope_rejected", channel=channel, reason=str(error))

    def _heard_by_all(self, node_id: UUID, message: NodeMessage) -> None:
        if self._neighbours is None:
            return
        if isinstance(message, Leaving):
            if node_id in self._heard_at:
                _log.info("node_left", node=str(node_id))
            self._forget(node_id)
            return
        if node_id not in self._heard_at:
            _log.info("node_found", node=str(node_id))
        self._heard_at[node_id] = self._clock()
        self._neighbours.heard(node_id, message)

    def _forget(self, node_id: UUID) -> None:
        if self._heard_at.pop(node_id, None) is not None and self._neighbours is not None:
            self._neighbours.node_gone(node_id)


def _channel(prompt_id: UUID) -> str:
    return f"prompt:{prompt_id}"
