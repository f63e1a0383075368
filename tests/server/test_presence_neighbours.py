"""Nodes that come, go and are cut off, the people on them, and how much one node may say."""

import pytest

from crdt.awareness import AwarenessEntry, Json, encode_awareness
from crdt.errors import AwarenessError
from server import presence_elsewhere
from server.access import Role
from server.announcer import RENEWAL_SECONDS, SILENCE_SECONDS
from server.limits import MAX_AWARENESS_STATE_BYTES
from server.presence_report import MAX_CLIENTS_PER_REPORT, read_report
from tests.server.deployment import Deployment, Node, person, shown_by_all

ANNA, BEN, VERA = person(1, name="anna"), person(2, name="ben"), person(3, name="vera", role=Role.VIEWER)


def cursor(at: int) -> dict[str, Json]:
    return {"cursor": at}


def people_of(node: Node) -> list[tuple[str, str, int]]:
    return [(each.name, each.role.value, each.connections) for each in node.people]


# --- nodes that come and go -----------------------------------------------------------------------------------------


def test_with_a_node_everything_is_gone_that_it_said() -> None:
    deployment = Deployment(3)
    one, two, three = deployment.nodes
    one.say(one.connect(ANNA), 7, 1, cursor(1))
    one.connect(VERA)
    two.say(two.connect(BEN), 8, 1, cursor(2))
    deployment.settle()
    deployment.kill(one)
    for node in (two, three):
        node.presence.forget_node(one.node_id)
        node.presence.forget_node(one.node_id)
    deployment.settle()
    assert shown_by_all(deployment) == {8: (BEN.user_id, 1, 2)}
    assert three.watched == {8: 2}
    assert people_of(three) == people_of(two) == [("ben", "editor", 1)]


def test_what_a_forgotten_node_changes_means_nothing_until_it_has_said_everything() -> None:
    deployment = Deployment(2)
    one, two = deployment.nodes
    anna, _ = one.connect(ANNA), one.connect(BEN)
    one.say(anna, 7, 1, cursor(1))
    deployment.settle()
    two.presence.forget_node(one.node_id)
    deployment.settle()
    assert two.people == ()
    one.say(anna, 7, 2, cursor(2))
    deployment.settle()
    assert two.shown == {7: (ANNA.user_id, 2, 2)}
    assert people_of(two) == [("anna", "editor", 1), ("ben", "editor", 1)]


def test_everything_replaces_what_was_said_before() -> None:
    deployment = Deployment(2)
    one, two = deployment.nodes
    anna, ben, vera = one.connect(ANNA), one.connect(BEN), one.connect(VERA)
    one.say(anna, 7, 1, cursor(1))
    one.say(ben, 8, 1, cursor(2))
    deployment.settle()
    one.hang_up(anna)
    one.hang_up(vera)
    deployment.time.turn(0.05)
    deployment.cut(one)
    assert set(two.shown) == {7, 8}
    one.presence.announce()
    deployment.settle()
    assert two.shown == {8: (BEN.user_id, 1, 2)}
    assert two.watched == {8: 2}
    assert people_of(two) == [("ben", "editor", 1)]


def test_a_crowd_is_told_in_parts_and_replaced_as_a_whole() -> None:
    deployment = Deployment(2)
    one, two = deployment.nodes
    size = 2 * MAX_CLIENTS_PER_REPORT + 10
    crowd = [one.connect(person(number)) for number in range(size)]
    for number, connection in enumerate(crowd):
        one.say(connection, number, 1, cursor(number))
    deployment.settle()
    assert len(two.shown) == len(two.people) == size
    for connection in crowd[5:]:
        one.hang_up(connection)
    deployment.time.turn(0.05)
    deployment.cut(one)
    told, shown = len(one.published), len(two.frames)
    for number, connection in enumerate(crowd[5:]):
        one.connections.append(connection)
        one.presence.join(connection)
        one.say(connection, 10_000 + number, 1, cursor(number))
    one.presence.announce()
    deployment.time.turn(0.05)
    assert len(one.published) - told == 3
    while waiting := deployment.waiting():
        assert len(two.shown) >= size, "nobody is gone before everything was said"
        deployment.deliver(waiting[0])
    deployment.settle()
    assert set(two.shown) == {0, 1, 2, 3, 4} | {10_000 + number for number in range(size - 5)}
    assert two.shown == one.shown
    assert len(two.frames) - shown == 1


def test_many_who_ask_at_once_get_one_answer() -> None:
    deployment = Deployment(6)
    one = deployment.nodes[0]
    one.say(one.connect(ANNA), 7, 1, cursor(1))
    deployment.settle()
    told = len(one.published)
    for node in deployment.nodes[1:]:
        node.presence.announce(asks=True)
    deployment.time.turn()
    for ends in deployment.waiting():
        deployment.deliver(ends)
    deployment.settle()
    assert len(one.published) - told == 1


def test_a_node_in_which_nothing_happens_is_heard_and_a_silent_one_forgotten() -> None:
    deployment = Deployment(2)
    one, two = deployment.nodes
    one.connect(VERA)
    deployment.settle()
    for _ in range(6):
        deployment.time.turn(RENEWAL_SECONDS)
        for node in deployment.nodes:
            node.presence.expire()
        deployment.settle()
    assert people_of(two) == [("vera", "viewer", 1)]
    deployment.time.turn(SILENCE_SECONDS + 1)
    two.presence.expire()
    deployment.settle()
    assert two.people == ()
    one.presence.expire()
    deployment.settle()
    assert people_of(two) == [("vera", "viewer", 1)]


def test_an_empty_room_says_nothing() -> None:
    deployment = Deployment(2)
    told = [len(node.published) for node in deployment.nodes]
    for _ in range(6):
        deployment.time.turn(RENEWAL_SECONDS)
        for node in deployment.nodes:
            node.presence.expire()
        deployment.settle()
    assert [len(node.published) for node in deployment.nodes] == told


def test_a_room_that_closes_takes_back_what_it_said_and_is_silent() -> None:
    deployment = Deployment(2)
    one, two = deployment.nodes
    anna = one.connect(ANNA)
    one.say(anna, 7, 1, cursor(1))
    deployment.settle()
    one.say(anna, 7, 2, cursor(2))
    one.presence.close()
    one.hang_up(anna)
    told = len(one.published)
    deployment.settle()
    assert two.shown == {}
    assert two.people == ()
    assert len(one.published) == told


# --- people ---------------------------------------------------------------------------------------------------------


def test_people_are_listed_once_with_the_connections_of_all_nodes_and_without_any_cursor() -> None:
    deployment = Deployment(3)
    one, two, three = deployment.nodes
    first, _, _ = one.connect(ANNA), one.connect(ANNA), one.connect(VERA)
    two.connect(ANNA)
    two.connect(BEN)
    deployment.settle()
    everybody = [("anna", "editor", 3), ("ben", "editor", 1), ("vera", "viewer", 1)]
    assert people_of(one) == people_of(two) == people_of(three) == everybody
    one.hang_up(first)
    deployment.settle()
    assert people_of(one) == people_of(two) == people_of(three) == [("anna", "editor", 2), *everybody[1:]]
    assert all(not node.frames for node in deployment.nodes), "nobody has a cursor"


def test_a_role_that_changes_is_told() -> None:
    deployment = Deployment(2)
    one, two = deployment.nodes
    anna = one.connect(ANNA)
    deployment.settle()
    told = len(one.published)
    one.presence.expire()
    deployment.settle()
    assert len(one.published) == told
    anna.principal = person(1, name="anna", role=Role.VIEWER)
    one.presence.expire()
    deployment.settle()
    assert people_of(two) == [("anna", "viewer", 1)]


def test_a_crowd_that_joins_is_told_by_its_changes() -> None:
    """The people of one flush, and not everybody each time."""
    deployment = Deployment(2)
    one, two = deployment.nodes
    told = 0
    for number in range(300):
        one.connect(person(number))
        if number % 10 == 9:
            deployment.time.turn(0.05)
            people = read_report(one.published[-1], one.node_id).people
            assert len(people) == 10
            told += 1
    deployment.settle()
    assert told == 30
    assert len(two.people) == 300


# --- bounds ---------------------------------------------------------------------------------------------------------


def test_the_longest_state_that_a_client_may_say_reaches_the_other_nodes() -> None:
    deployment = Deployment(2)
    one, two = deployment.nodes
    anna = one.connect(person(1, name="\U0001f600" * 200))
    room = MAX_AWARENESS_STATE_BYTES - 100
    texts = [
        '{"x":[' + ",".join(["1e15"] * (room // 5)) + "]}",
        '{"x":"\\ud800' + "\x7f" * room + '"}',
    ]
    for client_id, text in enumerate(texts):
        entry = encode_awareness([AwarenessEntry(client_id, 1, {})]).replace(b"\x02{}", b"")
        size = len(text.encode())
        one.presence.receive(anna, entry + bytes((size & 0x7F | 0x80, size >> 7)) + text.encode())
    deployment.settle()
    assert set(two.shown) == {0, 1}
    assert {client: state["x"] for client, state in two.reader.states.items()} == {
        client: state["x"] for client, state in one.reader.states.items()
    }


def test_a_node_is_shown_with_so_many_clients_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence_elsewhere, "MAX_CLIENTS_OF_NODE", 5)
    deployment = Deployment(2)
    one, two = deployment.nodes
    connections = [one.connect(person(number)) for number in range(8)]
    for number, connection in enumerate(connections):
        one.say(connection, number, 1, cursor(number))
        deployment.settle()
    assert set(two.shown) == set(range(5))
    one.say(connections[0], 0, 2, cursor(9))
    one.hang_up(connections[1])
    deployment.settle()
    one.say(connections[7], 7, 2, cursor(7))
    deployment.settle()
    assert two.shown[0] == (person(0).user_id, 2, 9)
    assert set(two.shown) == {0, 2, 3, 4, 7}


def test_what_is_malformed_is_refused_and_changes_nothing() -> None:
    deployment = Deployment(2)
    one, two = deployment.nodes
    one.say(one.connect(ANNA), 7, 1, cursor(1))
    deployment.settle()
    for payload in (b"", b"\x02\x00", b"\x01\x03\x01\x00", one.published[-1] + b"\x00"):
        with pytest.raises(AwarenessError):
            two.presence.hear(one.node_id, payload)
    assert two.shown == {7: (ANNA.user_id, 1, 1)}
