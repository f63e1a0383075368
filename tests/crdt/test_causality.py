from random import Random

import pycrdt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.causality import HoldBack, Knowledge, Need
from crdt.diff import TextEdit
from crdt.document import EMPTY_UPDATE, TEXT_NAME, Document, initial_state
from crdt.errors import HoldBackFull, UpdateError
from crdt.ranges import ClockRange, RangeSet
from crdt.update import UpdateSummary, read_update
from tests.crdt.sessions import Session, honest_session

SESSIONS = 60


def summary(
    *writes: tuple[int, int, int],
    depends_on: dict[int, int] | None = None,
    deletes: tuple[tuple[int, int, int], ...] = (),
) -> UpdateSummary:
    return UpdateSummary(
        writes=tuple(ClockRange(*write) for write in writes),
        depends_on=depends_on or {},
        deletes=tuple(ClockRange(*delete) for delete in deletes),
        has_gap=False,
        content_bytes=0,
    )


def applied_as_they_come(updates: list[bytes]) -> str:
    engine: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc()
    text = engine.get(TEXT_NAME, type=pycrdt.Text)
    for update in updates:
        engine.apply_update(update)
    return str(text)


def applied_when_ready(updates: list[bytes]) -> tuple[str, Knowledge]:
    document, knowledge = Document(), Knowledge()
    hold_back: HoldBack[None] = HoldBack(max_updates=1_000, max_bytes=1_000_000)
    for update in updates:
        hold_back.hold(update, read_update(update), None)
        for held in hold_back.release(knowledge):
            assert knowledge.is_ready(held.summary)
            knowledge.add(held.summary)
            document.apply([held.update])
    assert len(hold_back) == hold_back.total_bytes == 0
    assert knowledge.state == document.state_vector()
    return document.text, knowledge


def shuffled_sessions(random: Random, count: int) -> list[tuple[Session, list[bytes]]]:
    sessions = [honest_session(random, clients=3, edits=40) for _ in range(count)]
    return [(session, random.sample(session.updates, len(session.updates))) for session in sessions]


def test_out_of_causal_order_the_engine_loses_text(rng: Random) -> None:
    """The hazard itself; when this fails the engine was mended and holding back may go."""
    lost = [
        session
        for session, shuffled in shuffled_sessions(rng, SESSIONS)
        if applied_as_they_come(shuffled) != session.text
    ]
    assert len(lost) > SESSIONS // 4


def test_four_updates_of_two_clients_are_enough_to_lose_text() -> None:
    one, other = Document(client_id=1), Document(client_id=2)
    updates = [one.edit([TextEdit(0, 0, "a")])]
    other.apply(updates)
    updates += [other.edit([TextEdit(place, place, letter)]) for place, letter in ((1, "b"), (2, "c"), (0, "d"))]
    shuffled = [updates[index] for index in (0, 2, 3, 1)]
    assert applied_as_they_come(updates) == "dabc"
    assert applied_as_they_come(shuffled) == "dab"
    assert applied_when_ready(shuffled)[0] == "dabc"


def test_held_back_until_ready_nothing_is_lost(rng: Random, *, long_run: bool) -> None:
    for session, shuffled in shuffled_sessions(rng, 1_000 if long_run else SESSIONS):
        text, knowledge = applied_when_ready(shuffled)
        assert text == session.text
        in_order = Knowledge()
        for update in session.updates:
            in_order.add(read_update(update))
        assert knowledge == in_order


def test_knowledge_is_what_the_whole_state_says(rng: Random) -> None:
    for session, _ in shuffled_sessions(rng, 10):
        _, knowledge = applied_when_ready(session.updates)
        document = Document()
        document.apply(session.updates)
        assert Knowledge.of(read_update(document.encode_state())) == knowledge


def test_what_was_applied_is_known_and_what_was_not_is_not(rng: Random) -> None:
    session = honest_session(rng)
    knowledge = Knowledge()
    for update in session.updates:
        read = read_update(update)
        # Two people may delete the same character; the second brings nothing new.
        assert not (read.writes and knowledge.is_known(read))
        knowledge.add(read)
        assert knowledge.is_known(read)
    assert all(knowledge.is_known(read_update(update)) for update in session.updates)


def test_a_gap_in_ones_own_clocks_is_waited_for() -> None:
    knowledge = Knowledge({1: 5})
    assert knowledge.is_ready(summary((1, 5, 6)))
    assert knowledge.is_ready(summary((1, 3, 6)))
    assert knowledge.first_need(summary((1, 6, 7))) == Need(1, 6)
    assert knowledge.first_need(summary((2, 1, 2))) == Need(2, 1)


def test_a_gap_inside_the_update_is_waited_for() -> None:
    knowledge = Knowledge({1: 5})
    assert knowledge.first_need(summary((1, 5, 6), (1, 8, 9))) == Need(1, 8)
    assert Knowledge({1: 8}).is_ready(summary((1, 5, 6), (1, 8, 9)))


def test_origins_and_deletions_are_waited_for() -> None:
    knowledge = Knowledge({1: 5})
    assert knowledge.first_need(summary((2, 0, 1), depends_on={1: 6})) == Need(1, 6)
    assert knowledge.is_ready(summary((2, 0, 1), depends_on={1: 5}))
    assert knowledge.first_need(summary(deletes=((1, 4, 6),))) == Need(1, 6)
    assert knowledge.is_ready(summary(deletes=((1, 4, 5),)))


def test_an_update_brings_what_it_needs_itself() -> None:
    update = summary((2, 0, 3), (3, 0, 1), depends_on={2: 3}, deletes=((2, 0, 3),))
    assert Knowledge().is_ready(update)


def test_a_deletion_is_known_when_all_of_it_is_deleted() -> None:
    knowledge = Knowledge({1: 9}, RangeSet([ClockRange(1, 2, 4)]))
    assert knowledge.is_known(summary(deletes=((1, 2, 4),)))
    assert not knowledge.is_known(summary(deletes=((1, 2, 5),)))
    assert not knowledge.is_known(summary((1, 8, 10), deletes=((1, 2, 4),)))
    assert knowledge.is_known(summary((1, 0, 9)))
    assert knowledge.is_known(summary())


def test_a_copy_is_on_its_own() -> None:
    knowledge = Knowledge({1: 5}, RangeSet([ClockRange(1, 2, 4)]))
    copy = knowledge.copy()
    assert copy == knowledge
    copy.add(summary((1, 5, 6), deletes=((1, 0, 1),)))
    assert knowledge == Knowledge({1: 5}, RangeSet([ClockRange(1, 2, 4)]))
    assert copy == Knowledge({1: 6}, RangeSet([ClockRange(1, 0, 1), ClockRange(1, 2, 4)]))


def test_older_writes_do_not_take_a_clock_back() -> None:
    knowledge = Knowledge({1: 5})
    knowledge.add(summary((1, 0, 3)))
    assert knowledge.state == {1: 5}


def test_held_updates_come_back_in_an_applicable_order_with_their_tags() -> None:
    hold_back: HoldBack[str] = HoldBack(max_updates=10, max_bytes=100)
    hold_back.hold(b"third", summary((2, 0, 1), depends_on={1: 7}), "c")
    hold_back.hold(b"second", summary((1, 6, 7)), "b")
    knowledge = Knowledge({1: 5})
    assert hold_back.release(knowledge) == []
    assert len(hold_back) == 2
    assert hold_back.total_bytes == len(b"third" + b"second")
    hold_back.hold(b"first", summary((1, 5, 6)), "a")
    assert [(held.update, held.tag) for held in hold_back.release(knowledge)] == [
        (b"first", "a"),
        (b"second", "b"),
        (b"third", "c"),
    ]
    assert len(hold_back) == hold_back.total_bytes == 0
    assert knowledge == Knowledge({1: 5})
    assert hold_back.release(Knowledge({1: 99})) == []


def test_what_became_known_by_another_way_is_given_up_too() -> None:
    hold_back: HoldBack[None] = HoldBack(max_updates=10, max_bytes=100)
    hold_back.hold(b"late", summary((1, 6, 7)), None)
    assert hold_back.release(Knowledge({1: 5})) == []
    [held] = hold_back.release(Knowledge({1: 9}))
    assert Knowledge({1: 9}).is_known(held.summary)


def test_what_waits_for_the_same_comes_in_the_order_it_arrived() -> None:
    hold_back: HoldBack[int] = HoldBack(max_updates=10, max_bytes=100)
    for number in range(5):
        hold_back.hold(b"x", summary((2 + number, 0, 1), depends_on={1: 1}), number)
    assert hold_back.release(Knowledge()) == []
    assert [held.tag for held in hold_back.release(Knowledge({1: 1}))] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("max_updates", "max_bytes"), [(2, 100), (10, 7)])
def test_a_bound_is_never_exceeded(max_updates: int, max_bytes: int) -> None:
    hold_back: HoldBack[None] = HoldBack(max_updates=max_updates, max_bytes=max_bytes)
    waiting = summary((1, 5, 6))
    hold_back.hold(b"123", waiting, None)
    hold_back.hold(b"456", waiting, None)
    with pytest.raises(HoldBackFull) as raised:
        hold_back.hold(b"789", waiting, None)
    assert raised.value.code == "hold_back_full"
    assert len(hold_back) == 2
    assert hold_back.total_bytes == 6
    hold_back.clear()
    assert len(hold_back) == hold_back.total_bytes == 0
    hold_back.hold(b"789", summary((1, 0, 1)), None)
    assert [held.update for held in hold_back.release(Knowledge())] == [b"789"]


@given(st.permutations(range(30)))
def test_a_chain_in_any_order_is_released_whole(order: list[int]) -> None:
    hold_back: HoldBack[int] = HoldBack(max_updates=30, max_bytes=100)
    knowledge = Knowledge()
    released = []
    for number in order:
        hold_back.hold(b"x", summary((number % 3, number // 3, number // 3 + 1), depends_on=chained(number)), number)
        for held in hold_back.release(knowledge):
            knowledge.add(held.summary)
            released.append(held.tag)
    assert released == list(range(30))


def chained(number: int) -> dict[int, int]:
    """The need of what was written just before by the client before."""
    return {(number - 1) % 3: (number - 1) // 3 + 1} if number else {}


def test_the_empty_state_is_no_knowledge() -> None:
    assert Knowledge.of(read_update(EMPTY_UPDATE)) == Knowledge()


@pytest.mark.parametrize("deletion", ["000101010201", "000101010101", "000101010205"])
def test_a_deletion_of_half_a_surrogate_pair_is_refused(deletion: str) -> None:
    knowledge = Knowledge.of(read_update(initial_state("a😀b", 1)))
    for replica in (knowledge, knowledge.copy()):
        with pytest.raises(UpdateError) as raised:
            replica.check(read_update(bytes.fromhex(deletion)))
        assert raised.value.code == "update_pair_split"
    knowledge.check(read_update(bytes.fromhex("000101010102")))


def test_honest_edits_damage_nothing(rng: Random) -> None:
    for session, _ in shuffled_sessions(rng, 20):
        knowledge = Knowledge()
        for update in session.updates:
            knowledge.check(read_update(update))
            knowledge.add(read_update(update))
