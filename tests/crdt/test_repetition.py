"""An update may repeat what is known; what it claims of that is not believed."""

from random import Random

import pycrdt
import pytest

from crdt.causality import Knowledge
from crdt.document import Document, beyond, merge
from crdt.errors import EngineFailure
from crdt.update import read_update
from tests.crdt.hand_made import deletions, section, string, update
from tests.crdt.sessions import honest_session

TYPED = update(section(7, 0, string("The truth")))
# The same clocks with other content, and something new so that it is not known.
FORGED = update(section(9, 0, string("!", left=(7, 8))), section(7, 0, string("A lie....")))


def text_of(*updates: bytes) -> str:
    document = Document()
    document.apply(updates)
    return document.text


def knowing(*updates: bytes) -> Knowledge:
    knowledge = Knowledge()
    for each in updates:
        knowledge.add(read_update(each))
    return knowledge


def test_merged_a_claim_can_win() -> None:
    # Should this fail one day, the engine has learnt to ignore such claims.
    one_by_one: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc()
    for each in (TYPED, FORGED):
        one_by_one.apply_update(each)

    assert str(one_by_one.get("content", type=pycrdt.Text)) == "The truth!"
    assert {text_of(merge([TYPED, FORGED])), text_of(merge([FORGED, TYPED]))} != {"The truth!"}


def test_what_is_known_is_left_out() -> None:
    knowledge = knowing(TYPED)
    assert knowledge.repeats(read_update(FORGED))

    rest = beyond(FORGED, knowledge.state)
    assert not knowledge.repeats(read_update(rest))
    assert text_of(merge([TYPED, rest])) == text_of(merge([rest, TYPED])) == "The truth!"


def test_nothing_is_left_of_what_is_known() -> None:
    assert read_update(beyond(TYPED, {7: 9})).is_empty
    assert read_update(beyond(TYPED, {7: 100, 8: 3})).is_empty
    assert beyond(TYPED, {}) == TYPED


def test_what_goes_on_from_the_known_goes_on() -> None:
    longer = update(section(7, 0, string("The truth is out")), deletes=(deletions(7, (3, 1)),))
    rest = beyond(longer, {7: 9})

    assert read_update(rest).writes == ((7, 9, 16),)
    assert text_of(TYPED, rest) == text_of(longer) == "Thetruth is out"


def test_every_piece_of_an_honest_session(rng: Random) -> None:
    for _ in range(20):
        session = honest_session(rng)
        known = rng.randint(0, len(session.updates))
        knowledge = knowing(*session.updates[:known])
        rest = beyond(merge(session.updates), knowledge.state)

        summary = read_update(rest)
        assert not knowledge.repeats(summary)
        assert knowledge.is_ready(summary)
        knowledge.check(summary)
        assert text_of(*session.updates[:known], rest) == session.text


def test_the_engine_may_refuse() -> None:
    with pytest.raises(EngineFailure):
        beyond(b"\xff", {})
