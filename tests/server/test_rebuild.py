"""Rebuilding from what is stored, also where something stored is rotten."""

from uuid import uuid4

import pytest

from crdt.causality import Knowledge
from crdt.diff import TextEdit
from crdt.document import Document, canonical_state, initial_state
from crdt.knowledge_bytes import encode_knowledge
from crdt.offsets import utf16_length
from crdt.update import read_update
from persistence.edits import Edit
from server.compactor import Compactor, verified_state
from server.opening import open_checkpoint
from server.rebuild import load_prompt, rebuild
from server.workers import Workers
from tests.server.living import House

POISON = bytes.fromhex("01010701000000")  # a zero-length struct: the engine takes it, and panics when it is read


def history(*letters: str, client_id: int = 7) -> list[bytes]:
    document = Document(client_id=client_id)

    def append(letter: str) -> bytes:
        end = utf16_length(document.text)
        return document.edit([TextEdit(end, end, letter)])

    return [append(letter) for letter in letters]


def text_of(state: bytes) -> str:
    return Document(state).text


def test_a_replay_comes_to_the_text() -> None:
    rebuilt = rebuild(None, history("a", "😀", "c"))
    assert text_of(rebuilt.state) == "a😀c"
    assert rebuilt.rejected == ()
    assert rebuilt.knowledge.state == {7: 4}


def test_a_replay_goes_on_from_a_checkpoint() -> None:
    updates = history("a", "b", "c", "d")
    checkpoint = rebuild(None, updates[:2]).state
    assert text_of(rebuild(checkpoint, updates[2:]).state) == "abcd"


def test_a_rotten_update_is_left_out() -> None:
    first, second = history("a", "b")
    rebuilt = rebuild(None, [first, POISON, second])
    assert text_of(rebuilt.state) == "ab"
    assert [index for index, _ in rebuilt.rejected] == [1]


def test_what_builds_on_a_rotten_update_is_left_out_too() -> None:
    first, second, third = history("a", "b", "c")
    rebuilt = rebuild(None, [first, second[:-1], third])
    assert text_of(rebuilt.state) == "a"
    assert [index for index, _ in rebuilt.rejected] == [1, 2]


async def test_a_rotten_row_goes_into_quarantine_and_the_prompt_stays_usable(house: House) -> None:
    owner = house.people["owner"].user_id
    await house.store.journal.append(house.prompt_id, [Edit(POISON, owner)], {})
    anna = await house.open("anna")
    assert anna.peer.text == "Hello"
    assert await house.store.quarantine.sequences(house.prompt_id) == {2}
    anna.type("!")
    await anna.saved()
    stored = await load_prompt(house.store, Workers(), house.prompt_id)
    assert stored.document.text == "Hello!"


async def test_a_checkpoint_that_cannot_be_read_is_not_trusted(house: House) -> None:
    await house.store.checkpoints.save(house.prompt_id, 1, POISON)
    assert (await house.open("anna")).peer.text == "Hello"


async def test_a_checkpoint_is_only_written_when_a_replay_agrees(house: House) -> None:
    compactor = Compactor(house.store, Workers())
    stored = await load_prompt(house.store, Workers(), house.prompt_id)
    wrong = Document(stored.document.encode_state())
    wrong.edit([TextEdit(0, 0, "never stored ")])
    assert not await compactor.checkpoint(house.prompt_id, seq=1, state=wrong.encode_state())
    assert await house.store.checkpoints.latest(house.prompt_id) is None
    assert await compactor.checkpoint(house.prompt_id, seq=1, state=stored.document.encode_state())
    assert await house.store.checkpoints.latest(house.prompt_id) is not None


def test_a_verified_state_is_canonical() -> None:
    updates = history("a", "b", "c")
    state = rebuild(None, updates).state
    knowledge = encode_knowledge(Knowledge.of(read_update(canonical_state(state))))
    assert verified_state(None, updates, state) == (canonical_state(state), knowledge)
    assert verified_state(None, updates[:2], state) is None
    assert verified_state(None, updates, b"\xff") is None


async def test_a_prompt_is_opened_with_what_was_known_of_its_checkpoint(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await house.open("anna")
    anna.type(" there, 😀")
    await anna.saved()
    live = await load_prompt(house.store, Workers(), house.prompt_id)
    state = live.document.encode_state()
    assert await Compactor(house.store, Workers()).checkpoint(house.prompt_id, seq=live.head_seq, state=state)
    anna.type("!", at=0)
    await anna.saved()
    replayed = await load_prompt(house.store, Workers(), house.prompt_id)
    monkeypatch.setattr("server.rebuild.rebuild", None)  # nothing is read anew
    opened = await load_prompt(house.store, Workers(), house.prompt_id)
    assert opened.document.text == "!Hello there, 😀"
    assert (opened.knowledge, opened.head_seq) == (replayed.knowledge, replayed.head_seq)


async def test_without_anything_known_or_with_an_update_that_does_not_fit_all_is_replayed() -> None:
    first, second, third = history("a", "b", "c")
    known = encode_knowledge(Knowledge.of(read_update(first)))
    for at_once in (False, True):
        opened = await open_checkpoint(first, known, [second, third], at_once=at_once)
        assert opened is not None
        assert opened[0].text == "abc"
    assert await open_checkpoint(first[:-1], known, [], at_once=True) is None
    for checkpoint, kept, updates in (
        (first, None, [second]),
        (first, known[:-1], [second]),
        (first, known, [third]),
        (first, known, [second[:-1]]),
    ):
        assert await open_checkpoint(checkpoint, kept, updates) is None


async def test_an_unknown_prompt_has_nothing_to_rebuild(house: House) -> None:
    assert await house.store.quarantine.sequences(uuid4()) == frozenset()


def test_what_is_stored_twice_counts_once_and_as_it_was_stored_first() -> None:
    """Two nodes can store what one client said to both; only a liar says different things."""
    base = initial_state("ab", 1)
    first, other = (Document(base, client_id=2).edit([TextEdit(2, 2, text)]) for text in ("true", "false"))
    behind = Document(base, client_id=3).edit([TextEdit(0, 0, "x")])
    for journal in ([base, first, first, behind], [base, first, behind, other]):
        expected = "xabtrue" + ("e" if other in journal else "")
        rebuilt = rebuild(None, journal)
        assert not rebuilt.rejected
        assert text_of(rebuilt.state) == expected
        checkpoint = rebuild(None, journal[:2]).state
        assert canonical_state(rebuild(checkpoint, journal[2:]).state) == canonical_state(rebuilt.state)
        assert verified_state(checkpoint, journal[2:], rebuilt.state) is not None
