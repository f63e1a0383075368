"""Presence under random interleavings: when all is said, every node shows the same, and what is true."""

from collections import Counter
from dataclasses import dataclass
from itertools import permutations
from random import Random
from uuid import UUID

import pytest

from crdt.awareness import AwarenessEntry, Json
from server.access import Principal
from server.presence_elsewhere import prevailing
from server.presence_report import Claim
from tests.server.deployment import Connection, Deployment, Node, person

PEOPLE = [person(number) for number in range(4)]


@dataclass
class Tab:
    """A client with its connections: the one it uses, and dead ones that their nodes still believe in."""

    client_id: int
    principal: Principal
    node: Node
    connection: Connection
    clock: int = 0

    def move(self, cursor: int) -> None:
        """Say something."""
        self.clock += 1
        self.node.say(self.connection, self.client_id, self.clock, {"cursor": cursor})


class World:
    """Tabs that open, move between nodes and close, on nodes that start and die, over ways that are slow."""

    def __init__(self, rng: Random, *, nodes: int) -> None:
        self.rng = rng
        self.deployment = Deployment(nodes)
        self.tabs: list[Tab] = []
        self.dead: list[tuple[Node, Connection]] = []
        self._next_client = 100

    def act(self) -> None:
        """Do something at random."""
        actions = [self._deliver] * 6 + [self._turn] * 4 + [self._move] * 4 + [self._reconnect] * 2
        self.rng.choice([*actions, self._open, self._close, self._find_dead])()

    def _deliver(self) -> None:
        if waiting := self.deployment.waiting():
            self.deployment.deliver(self.rng.choice(waiting))

    def _turn(self) -> None:
        self.deployment.time.turn(self.rng.choice([0.0, 0.01, 0.05]))

    def _open(self) -> None:
        node, principal = self.rng.choice(self.deployment.nodes), self.rng.choice(PEOPLE)
        self._next_client += 1
        self.tabs.append(Tab(self._next_client, principal, node, node.connect(principal)))

    def _move(self) -> None:
        if self.tabs:
            self.rng.choice(self.tabs).move(self.rng.randrange(1_000))

    def _reconnect(self) -> None:
        if self.tabs:
            self._connect_anew(self.rng.choice(self.tabs))

    def _connect_anew(self, tab: Tab) -> None:
        self.dead.append((tab.node, tab.connection))
        tab.node = self.rng.choice(self.deployment.nodes)
        tab.connection = tab.node.connect(tab.principal)
        tab.move(self.rng.randrange(1_000))

    def _close(self) -> None:
        if self.tabs:
            tab = self.tabs.pop(self.rng.randrange(len(self.tabs)))
            tab.node.hang_up(tab.connection)

    def _find_dead(self) -> None:
        if self.dead:
            node, connection = self.dead.pop(self.rng.randrange(len(self.dead)))
            node.hang_up(connection)

    def kill(self, node: Node) -> None:
        """A node dies; the others find out after some more has happened, and its clients come back elsewhere."""
        self.deployment.kill(node)
        self.dead = [(where, connection) for where, connection in self.dead if where is not node]
        for tab in self.tabs:
            if tab.node is node:
                tab.node, tab.connection = self.deployment.nodes[0], self.deployment.nodes[0].connect(tab.principal)
        for other in self.deployment.nodes:
            for _ in range(5):
                self.act()
            other.presence.forget_node(node.node_id)

    def end(self) -> None:
        """Everything arrives, every dead connection is found, and every client says once more where it is."""
        self.deployment.settle()
        while self.dead:
            self._find_dead()
        self.deployment.settle()
        for tab in self.tabs:
            tab.move(tab.client_id)
        self.deployment.settle()

    @property
    def truth(self) -> dict[int, tuple[UUID | None, int, object]]:
        """What everybody has to be shown at the end."""
        return {tab.client_id: (tab.principal.user_id, tab.clock, tab.client_id) for tab in self.tabs}

    def check(self) -> None:
        """Every node shows the truth, to whoever comes and to whoever has been here, and knows everybody."""
        people = Counter(tab.principal.user_id for tab in self.tabs)
        for node in self.deployment.nodes:
            assert node.shown == self.truth
            assert node.watched == {client: cursor for client, (_, _, cursor) in self.truth.items()}
            assert {person.user_id: person.connections for person in node.people} == people


def test_which_claim_counts_does_not_depend_on_the_order_in_which_they_were_heard(rng: Random) -> None:
    for _ in range(2_000):
        claims = [
            Claim(UUID(int=node), UUID(int=rng.randrange(2)), rng.randrange(3), AwarenessEntry(7, rng.randrange(3), {}))
            for node in range(4)
        ]
        best = prevailing(claims)
        assert best is not None
        for order in permutations(claims):
            assert prevailing(order) is best
        first = min(claims, key=lambda claim: claim.since)
        assert best.user_id in {claim.user_id for claim in claims if claim.since == first.since}
        assert best.entry.clock == max(claim.entry.clock for claim in claims if claim.user_id == best.user_id)


@pytest.mark.parametrize("case", range(40))
def test_clients_that_move_between_nodes_end_up_where_they_are(seed: int, case: int) -> None:
    world = World(Random(f"moves {seed} {case}"), nodes=2 + case % 3)
    for _ in range(300):
        world.act()
    world.end()
    world.check()


@pytest.mark.parametrize("case", range(30))
def test_nodes_that_die_and_start_leave_nothing_behind(seed: int, case: int) -> None:
    rng = Random(f"deaths {seed} {case}")
    world = World(rng, nodes=3)
    for _ in range(4):
        for _ in range(80):
            world.act()
        world.kill(rng.choice(world.deployment.nodes))
        world.deployment.start()
    world.end()
    world.check()


@pytest.mark.parametrize("case", range(30))
def test_whatever_was_lost_everything_said_anew_makes_nodes_agree(seed: int, case: int) -> None:
    """The bus is away again and again, for some nodes or for all; whoever is back announces, and asks."""
    rng = Random(f"losses {seed} {case}")
    world = World(rng, nodes=3)
    for _ in range(5):
        for _ in range(60):
            world.act()
        cut_off = rng.sample(world.deployment.nodes, rng.randrange(1, 4))
        for _ in range(30):
            world.act()
            for node in cut_off:
                world.deployment.cut(node)
        for node in cut_off:
            for other in world.deployment.nodes:
                if rng.random() < 0.5 and other is not node:
                    other.presence.forget_node(node.node_id)
                    node.presence.forget_node(other.node_id)
            node.presence.announce(asks=True)
    world.end()
    world.check()


@pytest.mark.parametrize("case", range(60))
def test_whoever_claims_what_all_nodes_show_the_same(seed: int, case: int) -> None:
    """Few client ids and everybody after them, with any clock, on nodes whose wall clocks disagree."""
    rng = Random(f"claims {seed} {case}")
    deployment = Deployment(3)
    for node in deployment.nodes:
        node.skew = rng.choice([-5.0, 0.0, 0.0, 0.001, 60.0])
    connections = [(node, node.connect(rng.choice(PEOPLE))) for node in deployment.nodes for _ in range(3)]
    for _ in range(300):
        node, connection = rng.choice(connections)
        if rng.random() < 0.4:
            state: dict[str, Json] | None = {"cursor": rng.randrange(5)} if rng.random() < 0.8 else None
            node.say(connection, rng.randrange(3), rng.randrange(12), state)
        elif rng.random() < 0.4:
            deployment.time.turn(rng.choice([0.0, 0.001, 0.05]))
        elif waiting := deployment.waiting():
            deployment.deliver(rng.choice(waiting))
    deployment.settle()
    first, *others = deployment.nodes
    for other in others:
        assert other.shown == first.shown
    held = Counter(client for node in deployment.nodes for client in node.presence._holders.held_here())  # noqa: SLF001
    assert all(times == 1 for times in held.values()), "two nodes hold one client id"
    assert held.keys() == first.shown.keys()
    for node, connection in connections:
        node.hang_up(connection)
    deployment.settle()
    assert all(node.shown == {} and node.people == () for node in deployment.nodes)
