"""Several nodes with one room in one process: a list between any two of them, and time that is told when to move."""

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import cast
from uuid import UUID

from crdt.awareness import AwarenessEntry, Json, encode_awareness, read_awareness
from crdt.codec import decode_frame
from crdt.messages import AwarenessUpdate
from server.access import Principal, Role
from server.attendance import Participant, participants
from server.outbox import Frame
from server.presence import Presence

NEVER = 4e9


def person(number: int, *, name: str = "", role: Role = Role.EDITOR) -> Principal:
    """Somebody; the number makes who it is."""
    return Principal(UUID(int=1_000 + number), UUID(int=1), name or f"person {number}", None, role, NEVER)


class Connection:
    """Somebody on the other end of a socket."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal


class _Handle:
    def __init__(self, due: float, callback: Callable[[], None]) -> None:
        self.due = due
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class Time:
    """A loop of the few functions that presence asks for, and a clock."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self._handles: list[_Handle] = []

    def time(self) -> float:
        """Answer the present."""
        return self.now

    def call_at(self, due: float, callback: Callable[[], None]) -> _Handle:
        """Call at a time."""
        handle = _Handle(due, callback)
        self._handles.append(handle)
        return handle

    def call_soon(self, callback: Callable[[], None]) -> _Handle:
        """Call in the next turn."""
        return self.call_at(self.now, callback)

    def turn(self, seconds: float = 0.0) -> None:
        """Let time pass, and call what is due then."""
        self.now += seconds
        due = [handle for handle in self._handles if handle.due <= self.now]
        self._handles = [handle for handle in self._handles if handle.due > self.now]
        for handle in due:
            if handle.callback is not None:
                handle.callback()


class StockReader:
    """What a browser shows: the merging of y-protocols' awareness.js, which remembers the clocks of who is gone."""

    def __init__(self) -> None:
        self.states: dict[int, dict[str, Json]] = {}
        self._clocks: dict[int, int] = {}

    def read(self, frame: Frame) -> None:
        """Merge a frame."""
        for entry in entries_in(frame):
            known = self._clocks.get(entry.client_id, 0)
            is_removal = entry.state is None and entry.client_id in self.states
            if entry.clock > known or (entry.clock == known and is_removal):
                self._clocks[entry.client_id] = entry.clock
                if entry.state is None:
                    self.states.pop(entry.client_id, None)
                else:
                    self.states[entry.client_id] = entry.state


def entries_in(frame: Frame) -> list[AwarenessEntry]:
    """The states in a frame of presence."""
    (message,) = decode_frame(frame.payload, max_bytes=1 << 30)
    assert isinstance(message, AwarenessUpdate)
    return read_awareness(message.payload, max_entries=100_000, max_state_bytes=1 << 20)


class Node:
    """One node: its presence, what it has published, and somebody who looks on."""

    def __init__(self, number: int, time: Time, ways: dict[tuple[UUID, UUID], deque[bytes]]) -> None:
        self.node_id = UUID(int=number)
        self.published: list[bytes] = []
        self.frames: list[Frame] = []
        self.reader = StockReader()
        self.bindings: dict[int, UUID] = {}
        self.connections: list[Connection] = []
        self.skew = 0.0
        self._ways = ways
        self.presence = Presence(
            cast("asyncio.AbstractEventLoop", time),
            clock=time.time,
            broadcast=self._broadcast,
            bindings=lambda: self.bindings,
            publish=self._publish,
            node_id=self.node_id,
            wall_clock=lambda: time.now + self.skew,
        )

    def _publish(self, payload: bytes) -> None:
        self.published.append(payload)
        for (sender, _), way in self._ways.items():
            if sender == self.node_id:
                way.append(payload)

    def _broadcast(self, frame: Frame) -> int:
        self.frames.append(frame)
        self.reader.read(frame)
        return len(self.connections)

    def connect(self, principal: Principal) -> Connection:
        """Somebody opens the room here."""
        connection = Connection(principal)
        self.connections.append(connection)
        self.presence.join(connection)
        return connection

    def say(self, connection: Connection, client_id: int, clock: int, state: dict[str, Json] | None) -> None:
        """A connection says something of itself."""
        self.presence.receive(connection, encode_awareness([AwarenessEntry(client_id, clock, state)]))

    def hang_up(self, connection: Connection) -> None:
        """A connection ends."""
        self.connections.remove(connection)
        self.presence.leave(connection)

    @property
    def shown(self) -> dict[int, tuple[UUID | None, int, object]]:
        """Who is here, as one who has just come is told: user, clock and cursor of each client."""
        frame = self.presence.everybody()
        return {
            entry.client_id: (self.presence.user_of(entry.client_id), entry.clock, (entry.state or {}).get("cursor"))
            for entry in (entries_in(frame) if frame is not None else ())
        }

    @property
    def watched(self) -> dict[int, object]:
        """The cursors that somebody sees who has been here from the beginning."""
        return {client_id: state.get("cursor") for client_id, state in self.reader.states.items()}

    @property
    def people(self) -> tuple[Participant, ...]:
        """Everybody who has the room open."""
        return participants(self.connections, self.presence.participants_elsewhere())


class Deployment:
    """Nodes, and the ways between them."""

    def __init__(self, size: int) -> None:
        self.time = Time()
        self.ways: dict[tuple[UUID, UUID], deque[bytes]] = {}
        self.nodes: list[Node] = []
        self._numbers = count(1)
        for _ in range(size):
            self.start()
        self.settle()

    def start(self) -> Node:
        """A node opens the room."""
        node = Node(next(self._numbers), self.time, self.ways)
        for other in self.nodes:
            self.ways[node.node_id, other.node_id] = deque()
            self.ways[other.node_id, node.node_id] = deque()
        self.nodes.append(node)
        node.presence.announce(asks=True)
        return node

    def kill(self, node: Node) -> None:
        """A node dies, with whatever it had not sent."""
        self.nodes.remove(node)
        self.cut(node)
        for ends in [ends for ends in self.ways if node.node_id in ends]:
            del self.ways[ends]

    def cut(self, node: Node) -> None:
        """What is on its way from and to a node is lost."""
        for ends, way in self.ways.items():
            if node.node_id in ends:
                way.clear()

    def deliver(self, ends: tuple[UUID, UUID]) -> None:
        """Deliver the first message of one way."""
        sender, receiver = ends
        payload = self.ways[ends].popleft()
        (node,) = [node for node in self.nodes if node.node_id == receiver]
        node.presence.hear(sender, payload)

    def waiting(self) -> list[tuple[UUID, UUID]]:
        """The ways on which something waits."""
        return [ends for ends, way in self.ways.items() if way]

    def settle(self) -> None:
        """Let time pass until nobody has anything to say any more."""
        for _ in range(20):
            self.time.turn(0.05)
            while waiting := self.waiting():
                self.deliver(waiting[0])
        self.time.turn(0.05)
        assert not self.waiting()


def shown_by_all(deployment: Deployment) -> dict[int, tuple[object, int, object]]:
    """What every node shows, which has to be the same."""
    first, *others = [dict(node.shown) for node in deployment.nodes]
    assert all(other == first for other in others)
    return dict(first)
