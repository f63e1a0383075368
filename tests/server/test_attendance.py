"""Who is in a room: counted once, however many connections they have."""

from server.access import Role
from server.attendance import Attendance, Participant, participants
from tests.server.deployment import Connection, person

ANNA, BEN = person(1, name="anna"), person(2, name="Ben")


def counted(*people: Participant) -> list[tuple[str, int]]:
    return [(each.name, each.connections) for each in people]


def test_somebody_with_two_connections_is_one_and_leaves_with_the_last() -> None:
    attendance = Attendance()
    first, second = Connection(ANNA), Connection(ANNA)
    attendance.joined(first)
    attendance.joined(second)
    assert counted(*attendance.take_changes()) == [("anna", 2)]
    attendance.left(first)
    assert counted(*attendance.take_changes()) == [("anna", 1)]
    attendance.left(second)
    assert counted(*attendance.take_changes()) == [("anna", 0)]
    assert not attendance.take_all()


def test_whoever_comes_twice_or_leaves_twice_counts_once() -> None:
    attendance = Attendance()
    anna = Connection(ANNA)
    attendance.left(anna)
    attendance.joined(anna)
    attendance.joined(anna)
    assert counted(*attendance.take_all()) == [("anna", 1)]
    attendance.left(anna)
    attendance.left(anna)
    attendance.joined(anna)
    assert counted(*attendance.take_all()) == [("anna", 1)]
    assert len(attendance) == 1


def test_only_changes_are_news() -> None:
    attendance = Attendance()
    attendance.joined(Connection(ANNA))
    attendance.take_changes()
    assert not attendance.has_news
    attendance.joined(Connection(BEN))
    assert counted(*attendance.take_changes()) == [("Ben", 1)]
    assert counted(*attendance.take_all()) == [("anna", 1), ("Ben", 1)]


def test_a_role_that_changes_is_noticed_and_a_renewed_token_is_no_news() -> None:
    attendance = Attendance()
    anna = Connection(ANNA)
    attendance.joined(anna)
    attendance.take_changes()
    anna.principal = person(1, name="anna")
    attendance.look_around()
    assert not attendance.has_news
    anna.principal = person(1, name="anna", role=Role.VIEWER)
    attendance.look_around()
    assert [(each.role, each.connections) for each in attendance.take_changes()] == [(Role.VIEWER, 1)]
    attendance.left(anna)
    assert [(each.role, each.connections) for each in attendance.take_changes()] == [(Role.VIEWER, 0)]


def test_people_of_all_nodes_are_listed_once_by_name() -> None:
    viewer = person(1, name="Anna B.", role=Role.VIEWER)
    elsewhere = [
        Participant(viewer.user_id, viewer.name, viewer.role, 2),
        Participant(person(3).user_id, "Ada", Role.OWNER, 1),
        Participant(viewer.user_id, viewer.name, viewer.role, 4),
    ]
    here = [Connection(BEN), Connection(ANNA), Connection(BEN)]
    assert counted(*participants(here, elsewhere)) == [("Ada", 1), ("anna", 7), ("Ben", 2)]
    assert participants(here, elsewhere)[1].role is Role.EDITOR, "the name and role of this node come first"
    assert participants([], []) == ()
