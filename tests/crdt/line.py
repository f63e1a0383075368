"""A connection between a client and a small room that delivers only when told to."""

from crdt.peer import ClientEvent, ClientPeer
from tests.crdt.small_room import SmallRoom, SmallSession


class Line:
    """What is on its way in either direction.

    Args:
        client: the one end.
        room: the other.
    """

    def __init__(self, client: ClientPeer, room: SmallRoom) -> None:
        self.client = client
        self.room = room
        self.to_server: list[bytes] = []
        self.to_client: list[bytes] = []
        self.events: list[ClientEvent] = []
        self.session: SmallSession | None = None

    def saved(self) -> bool:
        return self.client.saved

    def connect(self) -> None:
        self.session = self.room.join(self.to_client.append)
        self.to_server += self.client.open()

    def cut(self) -> None:
        assert self.session is not None
        self.room.leave(self.session)
        self.session = None
        self.to_server.clear()
        self.to_client.clear()
        self.client.closed()

    def deliver_to_server(self) -> None:
        self.to_server += self.client.data_to_send()
        while self.session is not None and self.to_server:
            self.session.receive(self.to_server.pop(0))

    def deliver_to_client(self) -> None:
        while self.to_client:
            self.events += self.client.receive(self.to_client.pop(0))
        self.to_server += self.client.data_to_send()

    def deliver(self) -> None:
        self.to_server += self.client.data_to_send()
        while self.session is not None and (self.to_server or self.to_client):
            self.deliver_to_server()
            self.deliver_to_client()


def connected(room: SmallRoom, client: ClientPeer | None = None) -> Line:
    """A line over which everything was delivered that is said at the beginning."""
    line = Line(client or ClientPeer(), room)
    line.connect()
    line.deliver()
    return line
