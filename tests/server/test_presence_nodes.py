"""Presence across nodes: told by one, shown by all, and gone with whoever told it."""

import pytest

from crdt.awareness import Json
from server.access import Role
from server.limits import AWARENESS_TIMEOUT_SECONDS
from server.presence_report import read_report
from tests.server.deployment import Deployment, StockReader, entries_in, person, shown_by_all

ANNA, BEN, VERA = person(1, name="anna"), person(2, name="ben"), person(3, name="vera", role=Role.VIEWER)


def cursor(at: int) -> dict[str, Json]:
    return {"cursor": at}


# --- states ---------------------------------------------------------------------------------------------------------


def test_what_one_says_is_shown_on_every_node_under_their_name() -> None:
    deployment = Deployment(3)
    one, two, three = deployment.nodes
    one.say(one.connect(ANNA), 7, 1, cursor(3))
    deployment.settle()
    assert shown_by_all(deployment) == {7: (ANNA.user_id, 1, 3)}
    for node in (two, three):
        user = node.reader.states[7]["user"]
        assert isinstance(user, dict)
        assert (user["name"], user["id"]) == ("anna", str(ANNA.user_id))


def test_a_lone_server_tells_nobody_and_hears_nobody() -> None:
    deployment = Deployment(1)
    (node,) = deployment.nodes
    other = Deployment(1).nodes[0]
    other.say(other.connect(ANNA), 7, 1, cursor(3))
    other.presence.announce()
    alone = node.presence
    alone._announcer = None  # noqa: SLF001 - as the constructor leaves it without publish
    alone.hear(other.node_id, b"anything at all")
    alone.announce(asks=True)
    alone.join(other.connections[0])
    alone.expire()
    alone.close()
    assert alone.participants_elsewhere() == []


def test_many_moves_between_two_flushes_are_told_once() -> None:
    deployment = Deployment(2)
    one, two = deployment.nodes
    anna, ben = one.connect(ANNA), one.connect(BEN)
    deployment.settle()
    told, shown = len(one.published), len(two.frames)
    for clock in range(1, 60):
        one.say(anna, 7, clock, cursor(clock))
        one.say(ben, 8, clock, cursor(-clock))
    deployment.settle()
    assert len(one.published) - told == 1
    assert len(two.frames) - shown == 1
    assert {entry.client_id: entry.clock for entry in entries_in(two.frames[-1])} == {7: 59, 8: 59}


def test_only_what_changed_is_told() -> None:
    deployment = Deployment(2)
    one, _ = deployment.nodes
    anna, ben = one.connect(ANNA), one.connect(BEN)
    one.say(anna, 7, 1, cursor(1))
    one.say(ben, 8, 1, cursor(2))
    deployment.settle()
    one.say(ben, 8, 2, cursor(3))
    deployment.settle()
    report = read_report(one.published[-1], one.node_id)
    assert [(claim.entry.client_id, claim.entry.clock) for claim in report.claims] == [(8, 2)]
    assert (report.gone, report.people, report.begins) == ((), (), False)


def test_what_was_heard_is_never_told_again() -> None:
    deployment = Deployment(3)
    one, two, three = deployment.nodes
    anna = one.connect(ANNA)
    before = len(two.published), len(three.published)
    for clock in range(1, 10):
        one.say(anna, 7, clock, cursor(clock))
        deployment.settle()
    one.hang_up(anna)
    deployment.settle()
    assert (len(two.published), len(three.published)) == before
    two.presence.announce()
    deployment.settle()
    report = read_report(two.published[-1], two.node_id)
    assert (report.claims, report.gone, report.people) == ((), (), ())


def test_states_heard_from_other_nodes_reach_readers_in_the_rhythm_of_local_ones() -> None:
    deployment = Deployment(3)
    one, two, three = deployment.nodes
    anna, ben = one.connect(ANNA), two.connect(BEN)
    deployment.settle()
    shown = len(three.frames)
    one.say(anna, 7, 1, cursor(1))
    two.say(ben, 8, 1, cursor(2))
    deployment.time.turn()
    for ends in deployment.waiting():
        deployment.deliver(ends)
    deployment.time.turn()
    assert len(three.frames) - shown == 1
    assert {entry.client_id for entry in entries_in(three.frames[-1])} == {7, 8}


def test_one_who_comes_is_told_of_everybody_on_every_node() -> None:
    deployment = Deployment(2)
    one, two = deployment.nodes
    one.say(one.connect(ANNA), 7, 1, cursor(1))
    two.say(two.connect(BEN), 8, 1, cursor(2))
    deployment.settle()
    three = deployment.start()
    deployment.settle()
    assert three.shown == one.shown == {7: (ANNA.user_id, 1, 1), 8: (BEN.user_id, 1, 2)}


def test_those_who_come_between_two_flushes_are_sent_the_same_frame() -> None:
    """In a crowd that joins all states are encoded once a flush, and not for everybody who comes."""
    (node,) = Deployment(1).nodes
    node.say(node.connect(ANNA), 7, 1, cursor(1))
    frame = node.presence.everybody()
    assert frame is not None
    node.say(node.connect(BEN), 8, 1, cursor(2))
    assert node.presence.everybody() is frame


def test_a_newcomer_is_told_with_the_next_flush_what_its_first_frame_lacks() -> None:
    deployment = Deployment(1)
    (node,) = deployment.nodes
    node.say(node.connect(ANNA), 7, 1, cursor(1))
    node.presence.everybody()
    node.say(node.connect(BEN), 8, 1, cursor(2))
    newcomer = StockReader()
    frame = node.presence.everybody()
    assert frame is not None
    newcomer.read(frame)
    deployment.settle()
    newcomer.read(node.frames[-1])
    assert set(newcomer.states) == {7, 8} == set(node.shown)


def test_a_state_that_its_client_renews_stays_on_every_node_and_another_expires() -> None:
    deployment = Deployment(2)
    one, two = deployment.nodes
    one.say(anna := one.connect(ANNA), 7, 1, cursor(1))
    one.say(one.connect(BEN), 8, 1, cursor(2))
    deployment.settle()
    for clock in (2, 3, 4):
        deployment.time.turn(AWARENESS_TIMEOUT_SECONDS / 2)
        one.say(anna, 7, clock, cursor(1))
        deployment.settle()
        two.presence.expire()
    assert two.shown == {7: (ANNA.user_id, 4, 1)}
    one.presence.expire()
    deployment.settle()
    assert shown_by_all(deployment) == {7: (ANNA.user_id, 4, 1)}
    assert two.watched == {7: 1}


def test_a_state_that_has_expired_does_not_come_back_when_another_goes() -> None:
    deployment = Deployment(2)
    one, two = deployment.nodes
    one.say(one.connect(ANNA), 7, 1, cursor(1))
    deployment.settle()
    deployment.time.turn(AWARENESS_TIMEOUT_SECONDS + 1)
    two.presence.expire()
    assert two.presence.user_of(7) is None
    back = two.connect(ANNA)
    two.say(back, 7, 2, cursor(2))
    two.hang_up(back)
    assert two.shown == {}


# --- moving ---------------------------------------------------------------------------------------------------------


def test_a_client_that_moves_is_taken_over_and_the_old_connection_cannot_remove_it() -> None:
    deployment = Deployment(3)
    one, two, _ = deployment.nodes
    dead = one.connect(ANNA)
    one.say(dead, 7, 4, cursor(1))
    deployment.settle()
    two.say(two.connect(ANNA), 7, 5, cursor(2))
    one.hang_up(dead)
    deployment.settle()
    assert shown_by_all(deployment) == {7: (ANNA.user_id, 5, 2)}
    assert all(node.watched == {7: 2} for node in deployment.nodes)


def test_a_node_gives_way_to_a_client_that_has_moved() -> None:
    """The old connection is not found dead for long; when the client leaves its new node nothing of it comes back."""
    deployment = Deployment(3)
    one, two, _ = deployment.nodes
    dead = one.connect(ANNA)
    one.say(dead, 7, 4, cursor(1))
    deployment.settle()
    back = two.connect(ANNA)
    two.say(back, 7, 5, cursor(2))
    deployment.settle()
    assert read_report(one.published[-1], one.node_id).gone == (7,)
    two.hang_up(back)
    deployment.settle()
    assert shown_by_all(deployment) == {}
    assert all(node.watched == {} for node in deployment.nodes)


def test_a_client_that_returns_before_its_farewell_arrived_is_not_removed_by_it() -> None:
    deployment = Deployment(3)
    one, two, three = deployment.nodes
    first = one.connect(ANNA)
    one.say(first, 7, 4, cursor(1))
    deployment.settle()
    one.hang_up(first)
    two.say(two.connect(ANNA), 7, 5, cursor(2))
    deployment.time.turn(0.05)
    deployment.deliver((two.node_id, three.node_id))
    deployment.time.turn(0.05)
    deployment.deliver((one.node_id, three.node_id))
    deployment.settle()
    assert shown_by_all(deployment) == {7: (ANNA.user_id, 5, 2)}
    assert three.watched == {7: 2}


def test_whoever_repeats_what_another_node_said_takes_nothing_over() -> None:
    """Stock providers send remote states back."""
    deployment = Deployment(2)
    one, two = deployment.nodes
    first = one.connect(ANNA)
    one.say(first, 7, 4, cursor(1))
    deployment.settle()
    for connection in (two.connect(ANNA), two.connect(BEN)):
        two.say(connection, 7, 4, cursor(1))
        two.say(connection, 7, 5, None)
        two.hang_up(connection)
    deployment.settle()
    assert shown_by_all(deployment) == {7: (ANNA.user_id, 4, 1)}
    assert two.watched == {7: 1}


def test_a_client_of_equal_clock_counts_where_it_came_last() -> None:
    """A stock client comes back with its last clock, to a node that has just opened the room and knows nothing yet."""
    deployment = Deployment(2)
    one, three = deployment.nodes
    one.say(one.connect(ANNA), 7, 4, cursor(1))
    deployment.settle()
    two = deployment.start()
    deployment.time.turn(0.01)
    two.say(two.connect(ANNA), 7, 4, cursor(1))
    deployment.settle()
    deployment.kill(one)
    for node in (two, three):
        node.presence.forget_node(one.node_id)
    deployment.settle()
    assert shown_by_all(deployment) == {7: (ANNA.user_id, 4, 1)}


# --- forged claims --------------------------------------------------------------------------------------------------


def test_nobody_takes_a_client_that_somebody_else_shows_on_another_node() -> None:
    deployment = Deployment(2)
    one, two = deployment.nodes
    one.say(one.connect(ANNA), 7, 1, cursor(1))
    deployment.settle()
    ben = two.connect(BEN)
    for clock in (1, 2, 100, 2**31 - 1):
        two.say(ben, 7, clock, cursor(666))
        two.say(ben, 7, clock, None)
    two.say(ben, 8, 1, cursor(2))
    deployment.settle()
    assert shown_by_all(deployment) == {7: (ANNA.user_id, 1, 1), 8: (BEN.user_id, 1, 2)}
    assert two.presence.user_of(7) == ANNA.user_id
    assert one.presence.user_of(8) == BEN.user_id
    assert one.presence.user_of(9) is None


@pytest.mark.parametrize("clock", [1, 5, 2**31 - 1])
def test_of_two_users_who_could_not_know_of_each_other_the_first_counts(clock: int) -> None:
    deployment = Deployment(3)
    one, two, _ = deployment.nodes
    ben = two.connect(BEN)
    two.say(ben, 7, 5, cursor(2))
    deployment.time.turn(0.01)
    one.say(one.connect(ANNA), 7, clock, cursor(1))
    deployment.settle()
    assert {client: user for client, (user, _, _) in shown_by_all(deployment).items()} == {7: BEN.user_id}
    two.hang_up(ben)
    deployment.settle()
    assert shown_by_all(deployment) == {}, "whoever gave way has to announce itself anew"


def test_who_was_cut_off_comes_back_to_what_was_theirs() -> None:
    deployment = Deployment(2)
    one, two = deployment.nodes
    anna = one.connect(ANNA)
    one.say(anna, 7, 3, cursor(1))
    deployment.settle()
    two.presence.forget_node(one.node_id)
    two.say(two.connect(BEN), 7, 2**31 - 1, cursor(666))
    deployment.time.turn(0.05)
    deployment.cut(one)
    for node in deployment.nodes:
        node.presence.announce(asks=True)
    deployment.settle()
    one.say(anna, 7, 4, cursor(2))
    deployment.settle()
    assert shown_by_all(deployment) == {7: (ANNA.user_id, 4, 2)}


def test_one_who_moves_has_held_their_client_from_their_first_connection_on() -> None:
    deployment = Deployment(3)
    one, two, three = deployment.nodes
    one.say(one.connect(ANNA), 7, 1, cursor(1))
    deployment.settle()
    three.presence.forget_node(one.node_id)
    three.say(three.connect(BEN), 7, 9, cursor(666))
    deployment.time.turn(0.05)
    deployment.cut(three)
    two.say(two.connect(ANNA), 7, 2, cursor(2))
    deployment.settle()
    three.presence.announce(asks=True)
    deployment.settle()
    assert shown_by_all(deployment) == {7: (ANNA.user_id, 2, 2)}


def test_a_client_bound_to_another_by_edits_is_not_claimed() -> None:
    deployment = Deployment(2)
    one, _ = deployment.nodes
    one.bindings[7] = BEN.user_id
    one.say(one.connect(ANNA), 7, 1, cursor(1))
    deployment.settle()
    assert shown_by_all(deployment) == {}
