"""The load balancer in front of the nodes: every new connection is taken to one of them."""

from collections.abc import Sequence
from random import Random

from tests.faults.cluster.proxy import Proxy


class Door(Proxy):
    """A line, with all its faults, between the clients and whichever node takes them.

    A node that refuses a connection is passed over. One that accepts it and says nothing is not noticed: that takes a
    health check, which here is whoever calls `only`.

    Args:
        ports: The nodes' ports on this machine, by number.
        rng: Chooses the node of each connection; without it the nodes take turns.
    """

    def __init__(self, ports: Sequence[int] = (), *, rng: Random | None = None) -> None:
        super().__init__(0, rng=rng)
        self._by_chance = rng
        self._turn = 0
        self.lead_to(ports)

    @property
    def base_url(self) -> str:
        """Where HTTP stands, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def websocket_url(self) -> str:
        """Where WebSockets stand: `f"{websocket_url}/{prompt_id}"`."""
        return f"ws://127.0.0.1:{self.port}/ws"

    def lead_to(self, ports: Sequence[int]) -> None:
        """Say where the nodes are, and take new connections to all of them."""
        self._ports = tuple(ports)
        self.all()

    def only(self, *numbers: int) -> None:
        """Take new connections only to the nodes with these numbers, counted from 0."""
        self._in_use = list(numbers)

    def all(self) -> None:
        """Take new connections to every node again."""
        self._in_use = list(range(len(self._ports)))

    def connections_of(self, number: int) -> int:
        """Return how many connections there are to a node."""
        return sum(passage.node == number for passage in self._passages)

    def drop_connections(self, number: int | None = None) -> None:
        """Reset every connection to a node, or to all; new ones are accepted as before."""
        for passage in list(self._passages):
            if number is None or passage.node == number:
                passage.reset()

    def _targets(self) -> Sequence[tuple[int, int]]:
        if self._by_chance is None:
            self._turn += 1
            first = self._turn % max(1, len(self._in_use))
            order = self._in_use[first:] + self._in_use[:first]
        else:
            order = self._by_chance.sample(self._in_use, k=len(self._in_use))
        return [(number, self._ports[number]) for number in order]
