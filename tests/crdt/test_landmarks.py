"""What is well formed and ready, and still refused because of what a replica holds."""

from random import Random

import pytest

from crdt.causality import Knowledge
from crdt.errors import StateVectorError, UpdateError
from crdt.lineage import MAX_STEPS
from crdt.nesting import MAX_NESTING
from crdt.update import read_update
from tests.crdt.hand_made import (
    MAP_TYPE,
    Id,
    deleted,
    deletions,
    embedded,
    formatting,
    gc,
    section,
    string,
    update,
    values,
)
from tests.crdt.sessions import honest_session
from tests.crdt.yjs_oracle import LEVELS, Level, YjsOracle

NOBODY = 99


def knowing(*updates: bytes) -> Knowledge:
    knowledge = Knowledge()
    for each in updates:
        summary = read_update(each)
        assert knowledge.is_ready(summary)
        knowledge.check(summary)
        knowledge.add(summary)
    return knowledge


def refusal(knowledge: Knowledge, data: bytes) -> str | None:
    summary = read_update(data)
    assert knowledge.is_ready(summary)
    # Judging leaves no trace, so the second judgement is the first.
    verdicts = {_verdict(knowledge, data) for _ in range(2)}
    assert len(verdicts) == 1
    return verdicts.pop()


def _verdict(knowledge: Knowledge, data: bytes) -> str | None:
    try:
        knowledge.check(read_update(data))
    except UpdateError as error:
        return error.code
    return None


# --- surrogate pairs

EMOJI = update(section(1, 0, string("a😀b")))
BETWEEN_HALVES = 2


@pytest.mark.parametrize(
    "data",
    [
        update(deletes=(deletions(1, (BETWEEN_HALVES, 2)),)),
        update(deletes=(deletions(1, (0, BETWEEN_HALVES)),)),
        update(section(2, 0, string("x", left=(1, BETWEEN_HALVES - 1), right=(1, BETWEEN_HALVES)))),
        update(section(2, 0, string("x", left=(1, BETWEEN_HALVES - 1)))),
        update(section(2, 0, string("x", right=(1, BETWEEN_HALVES)))),
        update(section(1, BETWEEN_HALVES, string("xyz", left=(1, BETWEEN_HALVES - 1)))),
    ],
)
def test_no_pair_is_taken_apart(data: bytes) -> None:
    assert refusal(knowing(EMOJI), data) == "update_pair_split"


def test_a_pair_is_not_cut_where_the_known_part_of_an_update_ends() -> None:
    known = update(section(1, 0, string("ab")))

    assert refusal(knowing(known), update(section(1, 0, string("a😀c")))) == "update_pair_split"


@pytest.mark.parametrize(
    "data",
    [
        update(deletes=(deletions(1, (1, 2)),)),
        update(section(2, 0, string("x", left=(1, 0), right=(1, 1)))),
        update(section(2, 0, string("x", left=(1, 2), right=(1, 3)))),
        EMOJI,
    ],
)
def test_around_a_pair_all_is_well(data: bytes) -> None:
    assert refusal(knowing(EMOJI), data) is None


def test_nobody_has_half_a_pair() -> None:
    landmarks = knowing(EMOJI).landmarks

    for clock in (0, 1, 3, 4, 5):
        landmarks.check_state_vector({1: clock, 9: BETWEEN_HALVES})
    landmarks.check_state_vector({})
    with pytest.raises(StateVectorError) as caught:
        landmarks.check_state_vector({1: BETWEEN_HALVES})
    assert caught.value.code == "state_vector_splits_pair"


# --- embedded types


def test_only_types_have_members() -> None:
    knowledge = knowing(
        update(section(1, 0, string("ab"), embedded(MAP_TYPE, left=(1, 1)), formatting("1", left=(1, 2))))
    )

    def into(parent: Id) -> str | None:
        return refusal(knowledge, update(section(2, 0, values(b"\x7e", parent=parent, key="k"))))

    assert into((1, 2)) is None
    assert [into((1, clock)) for clock in (0, 1, 3)] == ["update_parent_invalid"] * 3


def test_a_deleted_type_may_still_be_written_to() -> None:
    deleted_type = update(section(1, 0, deleted(1)), deletes=(deletions(1, (0, 1)),))

    assert refusal(knowing(deleted_type), update(section(2, 0, string("x", parent=(1, 0))))) is None


def test_what_was_no_type_does_not_become_one_by_deleting_it() -> None:
    # Merged with what it deletes, an update finds it alive.
    knowledge = knowing(update(section(1, 0, values(b"\x7e"), embedded(left=(1, 0)))))
    knowledge.add(read_update(update(deletes=(deletions(1, (0, 2)),))))

    assert refusal(knowledge, update(section(2, 0, string("x", parent=(1, 0))))) == "update_parent_invalid"
    assert refusal(knowledge, update(section(2, 0, string("x", parent=(1, 1))))) is None


def nested(depth: int) -> bytes:
    inner = (embedded(MAP_TYPE, parent=(1, clock), key="k") for clock in range(depth - 1))
    return update(section(1, 0, embedded(MAP_TYPE, key="k"), *inner))


def test_types_are_nested_no_deeper_than_values() -> None:
    assert refusal(Knowledge(), nested(MAX_NESTING)) is None
    for depth in (MAX_NESTING + 1, 1_000, 20_000):
        assert refusal(Knowledge(), nested(depth)) == "update_nested_too_deep"


def test_types_are_not_nested_deeper_one_by_one() -> None:
    knowledge = knowing(nested(MAX_NESTING - 1))
    innermost = (1, MAX_NESTING - 2)
    # Into a list, beside another struct: what it stands in is known from there.
    knowledge.add(read_update(update(section(2, 0, string("a", parent=innermost)))))
    last = update(section(3, 0, embedded(left=(2, 0))))
    assert refusal(knowledge, last) is None
    knowledge.add(read_update(last))

    assert refusal(knowledge, update(section(4, 0, string("a", parent=(3, 0))))) is None
    assert refusal(knowledge, update(section(4, 0, embedded(parent=(3, 0))))) == "update_nested_too_deep"
    again = Knowledge()
    again.add(read_update(nested(MAX_NESTING - 1)))
    assert refusal(again, update(section(4, 0, embedded(parent=innermost)))) is None


def test_what_is_known_cannot_be_claimed_to_be_something_else() -> None:
    knowledge = knowing(update(section(1, 0, string("abcd"))))
    a_type_instead = update(section(1, 0, embedded()))
    knowledge.add(read_update(a_type_instead))
    pairs_instead = update(section(1, 0, string("😀😀")))
    knowledge.add(read_update(pairs_instead))

    assert refusal(knowledge, update(section(2, 0, string("x", parent=(1, 0))))) == "update_parent_invalid"
    at_once = update(section(1, 0, embedded()), section(2, 0, string("x", parent=(1, 0))))
    assert refusal(knowledge, at_once) == "update_parent_invalid"
    assert refusal(knowledge, update(deletes=(deletions(1, (1, 2)),))) is None
    assert refusal(knowledge, update(section(2, 0, string("x", left=(1, 0), right=(1, 1))))) is None


def test_a_key_has_one_value() -> None:
    value = b"\x7e"
    knowledge = knowing(update(section(1, 0, values(value, key="k"))))

    for struct in (values(value, key="k"), values(value, left=(1, 0)), deleted(2, left=(1, 0)), deleted(2, key="k")):
        assert refusal(knowledge, update(section(2, 0, struct))) is None
    for struct in (values(value, value, key="k"), string("ab", left=(1, 0)), string("ab", right=(1, 0))):
        assert refusal(knowledge, update(section(2, 0, struct))) == "update_neighbours_impossible"
    # Values that were deleted and are kept for undo, as Yjs merges them; half of them deleted is none of these.
    kept = values(value, value, key="j")
    assert refusal(knowledge, update(section(2, 0, kept), deletes=(deletions(2, (0, 2)),))) is None
    for part in ((0, 1), (1, 1)):
        data = update(section(2, 0, kept), deletes=(deletions(2, part),))
        assert refusal(knowledge, data) == "update_neighbours_impossible"
    later = update(section(1, 1, values(value, value, left=(1, 0))))
    assert refusal(knowledge, later) == "update_neighbours_impossible"


# --- neighbours

# 1 writes abcd, 2 puts X between b and c, 3 does not know and puts Y there too.
SEVERAL = (
    update(section(1, 0, string("abcd"))),
    update(section(2, 0, string("X", left=(1, 1), right=(1, 2)))),
    update(section(3, 0, string("Y", left=(1, 1), right=(1, 2)))),
)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((1, 3), None),
        (None, (1, 0)),
        ((1, 0), (1, 1)),
        # Whoever knows neither X nor Y, one of them, or both.
        ((1, 1), (1, 2)),
        ((1, 1), (2, 0)),
        ((2, 0), (1, 2)),
        ((1, 1), (3, 0)),
        ((2, 0), (3, 0)),
        # Whoever has heard of the first letters only; a client's letters come one by one.
        ((1, 0), None),
    ],
)
def test_what_can_have_stood_side_by_side(left: Id | None, right: Id | None) -> None:
    assert refusal(knowing(*SEVERAL), update(section(4, 0, string("x", left=left, right=right)))) is None


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((1, 0), (1, 0)),
        ((1, 1), (1, 0)),
        ((1, 0), (1, 2)),
        ((1, 3), (1, 0)),
        (None, (1, 1)),
        (None, (2, 0)),
        ((2, 0), None),
        ((2, 0), (1, 3)),
        ((2, 0), (1, 1)),
        ((1, 0), (2, 0)),
        # Of two that were put in the same place, the one with the higher id comes second.
        ((3, 0), (2, 0)),
    ],
)
def test_what_cannot(left: Id | None, right: Id | None) -> None:
    data = update(section(4, 0, string("x", left=left, right=right)))

    assert refusal(knowing(*SEVERAL), data) == "update_neighbours_impossible"


def test_two_who_began_the_text_at_once() -> None:
    knowledge = knowing(update(section(1, 0, string("ab"))), update(section(2, 0, string("cd"))))

    assert refusal(knowledge, update(section(3, 0, string("x", left=(1, 1), right=(2, 0))))) is None
    assert refusal(knowledge, update(section(3, 0, string("x", left=(2, 1), right=(1, 0))))) is not None


def test_nothing_stands_between_two_lists() -> None:
    knowledge = knowing(
        update(section(1, 0, string("ab"))),
        update(section(2, 0, string("cd", parent="other"))),
        update(section(3, 0, values(b"\x7e", key="k"))),
    )
    for left, right in (((1, 1), (2, 0)), ((1, 1), (3, 0)), ((2, 1), (3, 0))):
        data = update(section(4, 0, string("x", left=left, right=right)))
        assert refusal(knowledge, data) == "update_neighbours_impossible"


def test_structs_of_one_update_are_neighbours() -> None:
    data = update(
        section(5, 0, string("ab", left=(1, 3)), string("c", left=(4, 0))),
        section(4, 0, string("x", left=(5, 1))),
    )

    assert refusal(knowing(*SEVERAL), data) is None
    data = update(
        section(5, 0, string("ab", left=(1, 3)), string("c", left=(4, 0), right=(5, 0))),
        section(4, 0, string("x", left=(5, 1))),
    )
    assert refusal(knowing(*SEVERAL), data) == "update_neighbours_impossible"


def test_a_neighbour_may_come_collected_in_the_same_update() -> None:
    data = update(section(5, 0, gc(2)), section(1, 4, string("x", right=(5, 1))))

    assert refusal(knowing(*SEVERAL), data) is None


def test_what_is_known_already_has_the_neighbours_that_are_known() -> None:
    knowledge = knowing(*SEVERAL)

    assert refusal(knowledge, update(section(2, 0, string("Xyz", left=(1, 1), right=(1, 2))))) is None
    for data in (
        update(section(2, 0, string("Xyz", left=(1, 0), right=(1, 1)))),
        update(section(2, 0, string("Xyz", left=(1, 1)))),
        update(section(2, 0, string("Xyz"))),
        update(section(1, 0, string("abcdef", parent="other"))),
        update(section(1, 0, string("abcdef", key="k"))),
    ):
        assert refusal(knowledge, data) == "update_neighbours_impossible"


def test_of_what_was_collected_no_neighbours_are_known() -> None:
    collected = update(section(1, 0, string("ab"), gc(3), deleted(1, left=(1, 1))), section(2, 0, gc(2)))
    knowledge = knowing(collected)

    for left, right in (((1, 2), (1, 4)), ((1, 3), None), (None, (1, 3)), ((1, 4), (2, 0))):
        assert refusal(knowledge, update(section(3, 0, string("x", left=left, right=right)))) is None
    for left, right in (((1, 1), (1, 2)), ((2, 0), (1, 5))):
        data = update(section(3, 0, string("x", left=left, right=right)))
        assert refusal(knowledge, data) == "update_neighbours_impossible"
    assert refusal(knowledge, update(section(2, 0, string("xy")))) is None
    assert refusal(knowledge, update(section(2, 0, string("xyz")))) == "update_neighbours_impossible"


def test_branches_too_many_to_be_looked_at() -> None:
    # Each is put beside all the others, and ends before another neighbour further on.
    count = 2_000
    steps = [string("x", left=(1, clock)) for clock in range(count)]
    knowledge = Knowledge()
    knowledge.add(read_update(update(section(1, 0, string("x" * (count + 1))), section(2, 0, *steps))))

    data = update(section(3, 0, *(string("y", left=(1, count), right=(2, clock)) for clock in range(count))))
    assert refusal(knowledge, data) == "update_neighbours_impossible"
    data = update(section(3, 0, *(string("y", left=(1, count), right=(2, clock)) for clock in range(200))))
    assert refusal(knowledge, data) is None


@pytest.mark.slow
def test_a_walk_along_neighbours_has_an_end() -> None:
    # Each letter stands behind one of the other client, so that there are as many runs as letters.
    count = MAX_STEPS + 10
    ladder = [
        section(client, 0, *(string("x", left=left) if left else string("x") for left in lefts))
        for client, lefts in (
            (1, [None, *((2, clock) for clock in range(count))]),
            (2, [(1, clock) for clock in range(count)]),
        )
    ]
    knowledge = Knowledge()
    knowledge.add(read_update(update(*ladder)))
    knowledge.add(read_update(update(section(3, 0, string("x")))))

    data = update(section(4, 0, string("x", left=(1, count), right=(3, 0))))
    assert refusal(knowledge, data) == "update_neighbours_impossible"


# --- honest people


def test_a_copy_goes_its_own_way() -> None:
    knowledge = knowing(EMOJI)
    copy = knowledge.copy()
    copy.add(read_update(update(section(2, 0, embedded(left=(1, 3)), string("😀", left=(2, 0))))))
    knowledge.add(read_update(update(section(2, 0, string("abc", left=(1, 3))))))

    assert refusal(knowledge, update(deletes=(deletions(2, (1, 1)),))) is None
    assert refusal(knowledge, update(section(3, 0, string("x", parent=(2, 0))))) == "update_parent_invalid"
    assert refusal(copy, update(deletes=(deletions(2, (1, 1)),))) == "update_pair_split"
    assert refusal(copy, update(section(3, 0, string("x", parent=(2, 0))))) is None


def test_nothing_that_people_type_is_refused(rng: Random, *, long_run: bool) -> None:
    for _ in range(300 if long_run else 20):
        session = honest_session(rng, clients=rng.randint(1, 8), edits=rng.randint(1, 150))
        knowing(*session.updates)


@pytest.mark.parametrize("level", LEVELS)
def test_nothing_that_people_do_with_yjs_is_refused(level: Level, rng: Random, *, long_run: bool) -> None:
    with YjsOracle() as yjs:
        for _ in range(300 if long_run else 10):
            *updates, state, merged = yjs.session(rng, level, steps=rng.randint(1, 150)).updates
            knowing(*updates, state, merged)
            # Whoever starts from a state has forgotten more, and refuses no more.
            knowing(state, *updates)
            knowing(merged, *updates)
