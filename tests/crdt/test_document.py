from asyncio import CancelledError
from collections.abc import Callable
from random import Random

import pycrdt
import pytest

from crdt.diff import TextEdit, apply_edits, minimal_edits
from crdt.document import (
    EMPTY_STATE_VECTOR,
    EMPTY_UPDATE,
    Document,
    canonical_state,
    edit_update,
    initial_state,
    merge,
    new_client_id,
)
from crdt.errors import EngineFailure, OffsetError
from crdt.update import read_update
from tests.crdt.sessions import honest_session, random_edit

# Accepted by the engine without a word; whatever then reads the whole state panics.
ZERO_LENGTH_GC = bytes.fromhex("01010701000000")
# Panics at once where client 2 has written.
NO_STRUCTS = bytes.fromhex("0100020100030101")
# Raises in the middle, after a part of it was applied.
HALF_APPLIED = bytes.fromhex("02010300040101740342414401020004000700017a00")

CALLS: dict[str, Callable[[Document], object]] = {
    "apply": lambda document: document.apply([]),
    "text": lambda document: document.text,
    "encode_state": lambda document: document.encode_state(),
    "encode_diff": lambda document: document.encode_diff(b"\x01\x07\x00"),
    "encode_state_vector": lambda document: document.encode_state_vector(),
    "state_vector": lambda document: document.state_vector(),
    "edit": lambda document: document.edit([TextEdit(0, 0, "x")]),
}


def test_a_new_document_is_empty() -> None:
    document = Document()
    assert document.text == ""
    assert document.encode_state() == EMPTY_UPDATE
    assert document.encode_state_vector() == EMPTY_STATE_VECTOR
    assert document.state_vector() == {}
    assert 1 <= document.client_id < 2**32


def test_a_document_is_what_its_state_says() -> None:
    document = Document(initial_state("hello 😀", 7))
    assert document.text == "hello 😀"
    assert document.state_vector() == {7: 8}


def test_the_first_state_has_normal_line_ends_and_its_authors_id() -> None:
    state = initial_state("a\r\nb\rc\n", 7)
    assert Document(state).text == "a\nb\nc\n"
    assert {client for client, _, _ in read_update(state).writes} == {7}
    assert initial_state("", 7) == EMPTY_UPDATE


def test_a_single_update_comes_back_as_it_was() -> None:
    state = initial_state("hello", 7)
    document = Document()
    assert document.apply([state]) == state
    assert document.apply([]) == EMPTY_UPDATE
    assert document.text == "hello"


@pytest.mark.parametrize("batch", [1, 2, 7, 50, 250])
def test_many_updates_give_one_that_brings_everybody_to_the_same_text(rng: Random, batch: int) -> None:
    for _ in range(10):
        session = honest_session(rng, edits=100)
        server, reader = Document(), Document()
        for start in range(0, len(session.updates), batch):
            reader.apply([server.apply(session.updates[start : start + batch])])
        assert server.text == reader.text == session.text
        assert Document(server.encode_state()).text == session.text


def test_a_merged_update_keeps_deletions() -> None:
    author = Document(initial_state("one two three", 7), client_id=8)
    start = author.encode_state()
    updates = [author.edit([TextEdit(4, 8, "")]), author.edit([TextEdit(0, 0, "x")]), author.edit([TextEdit(0, 1, "")])]
    merged = Document(start).apply(updates)
    assert set(read_update(merged).deletes) == {(7, 4, 8), (8, 0, 1)}
    reader = Document(start)
    reader.apply([merged])
    assert reader.text == author.text == "one three"


def test_what_was_read_is_read_again_after_a_change() -> None:
    author, replica = Document(client_id=7), Document()
    for number in range(3):
        replica.apply([author.edit([TextEdit(0, 0, str(number))])])
        assert replica.text == author.text
        assert Document(replica.encode_state()).text == author.text
        assert replica.encode_state() is replica.encode_state()


def test_a_diff_holds_what_a_replica_lacks(rng: Random) -> None:
    session = honest_session(rng)
    server, behind = Document(), Document()
    server.apply(session.updates)
    behind.apply(session.updates[: len(session.updates) // 2])
    behind.apply([server.encode_diff(behind.encode_state_vector())])
    assert behind.text == session.text
    assert server.encode_diff(EMPTY_STATE_VECTOR) == server.encode_state()


def test_local_edits_are_told_to_listeners_and_others_are_not() -> None:
    heard: list[bytes] = []
    document = Document(client_id=7)
    document.observe(heard.append)
    update = document.edit([TextEdit(0, 0, "hello")])
    document.apply([initial_state("else", 9)])
    assert document.edit([TextEdit(2, 2, "")]) == EMPTY_UPDATE
    assert heard == [update]


def test_edits_at_several_places_are_one_update(rng: Random) -> None:
    for _ in range(50):
        document = Document(honest_session(rng, edits=20).updates[0], client_id=7)
        before = document.text
        after = before
        for _ in range(rng.randint(0, 8)):
            after = apply_edits(after, [random_edit(rng, after)])
        follower = Document(document.encode_state())
        follower.apply([document.edit(minimal_edits(before, after))])
        assert document.text == follower.text == after


@pytest.mark.parametrize("edit", [TextEdit(2, 2, "x"), TextEdit(0, 9, ""), TextEdit(0, 0, "\ud83d")])
def test_an_edit_that_names_no_place_changes_nothing(edit: TextEdit) -> None:
    document = Document(initial_state("a😀b", 7))
    with pytest.raises(OffsetError):
        document.edit([edit])
    assert document.text == "a😀b"
    assert not document.condemned


def test_an_embedded_value_makes_edits_refuse_instead_of_missing_their_place() -> None:
    # Client 2 puts a list value between the two letters of client 1's "ab".
    embedded = bytes.fromhex("01010200c80100010101770176" + "00")
    document = Document(initial_state("ab", 1))
    document.apply([embedded])
    with pytest.raises(OffsetError) as raised:
        document.edit([TextEdit(2, 2, "x")])
    assert raised.value.code == "text_embedded"
    assert document.text == "ab"


def test_an_edit_for_somebody_is_made_under_their_client_id() -> None:
    state = initial_state("one two three", 7)
    update = edit_update(state, [TextEdit(4, 7, "2\r\n")], 8)
    assert {client for client, _, _ in read_update(update).writes} == {8}
    document = Document(state)
    document.apply([update])
    assert document.text == "one 2\n three"


def test_an_edit_for_somebody_that_changes_nothing_is_the_empty_update() -> None:
    assert edit_update(initial_state("one", 7), [], 8) == EMPTY_UPDATE
    assert edit_update(initial_state("one", 7), [TextEdit(1, 1, "")], 8) == EMPTY_UPDATE


def test_an_edit_for_somebody_that_names_no_place_is_refused() -> None:
    with pytest.raises(OffsetError):
        edit_update(initial_state("one", 7), [TextEdit(4, 4, "x")], 8)


def test_an_edit_keeps_what_it_does_not_touch_for_concurrent_edits() -> None:
    state = initial_state("one two three", 7)
    other = Document(state, client_id=9)
    concurrent = other.edit([TextEdit(7, 7, "!")])
    restored = edit_update(state, minimal_edits("one two three", "1 two 3"), 8)
    document = Document(state)
    document.apply([restored, concurrent])
    assert document.text == "1 two! 3"


def test_every_replica_arrives_at_the_same_canonical_bytes(rng: Random) -> None:
    for _ in range(10):
        session = honest_session(rng)
        replicas = [Document() for _ in range(3)]
        replicas[0].apply(session.updates)
        for update in session.updates:
            replicas[1].apply([update])
        replicas[2].apply([merge(session.updates)])
        states = {canonical_state(replica.encode_state()) for replica in replicas}
        assert len(states) == 1
        [state] = states
        assert canonical_state(state) == state
        assert Document(state).text == session.text


def test_merging_is_the_same_in_one_call_and_in_chunks(rng: Random) -> None:
    author = Document(client_id=7)
    updates = [author.edit([random_edit(rng, author.text)]) for _ in range(1_500)]
    assert Document(merge(updates)).text == author.text
    assert merge(updates[:1]) == updates[0]
    assert merge([]) == EMPTY_UPDATE


def test_merging_what_is_no_update_is_the_engines_failure() -> None:
    with pytest.raises(EngineFailure):
        merge([b"\xff\xff", b"\x01"])


def test_client_ids_are_those_of_yjs(rng: Random) -> None:
    drawn = [new_client_id(rng) for _ in range(1_000)]
    assert len(set(drawn)) == 1_000
    assert all(1 <= client_id < 2**32 for client_id in drawn)


@pytest.mark.parametrize("later", CALLS)
@pytest.mark.parametrize("poison", [HALF_APPLIED, b"\x01\x01", b"\xff" * 12])
def test_a_failure_of_the_engine_condemns_the_document(poison: bytes, later: str) -> None:
    document = Document(initial_state("hello", 7))
    document.observe(lambda _: pytest.fail("a condemned document tells nothing"))
    with pytest.raises(EngineFailure) as raised:
        document.apply([poison])
    assert raised.value.__cause__ is not None
    assert document.condemned
    with pytest.raises(EngineFailure, match="condemned"):
        CALLS[later](document)


def test_a_panic_of_the_engine_is_a_failure_like_any_other() -> None:
    document = Document(initial_state("h", 2))
    with pytest.raises(EngineFailure, match="PanicException") as raised:
        document.apply([NO_STRUCTS])
    assert not isinstance(raised.value.__cause__, Exception)
    assert document.condemned


def test_a_panic_while_reading_condemns_too() -> None:
    document = Document(initial_state("h", 7))
    document.apply([ZERO_LENGTH_GC])
    with pytest.raises(EngineFailure, match="PanicException"):
        document.encode_state()
    assert document.condemned


def test_a_state_that_the_engine_does_not_take_gives_no_document() -> None:
    with pytest.raises(EngineFailure):
        Document(b"\x01\x01")
    with pytest.raises(EngineFailure):
        canonical_state(b"\x01\x01")
    with pytest.raises(EngineFailure):
        edit_update(b"\x01\x01", [], 7)


@pytest.mark.parametrize("signal", [KeyboardInterrupt, SystemExit, GeneratorExit, CancelledError])
def test_the_interpreters_signals_pass_and_condemn(
    signal: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> bytes:
        raise signal

    document = Document()
    monkeypatch.setattr(pycrdt, "merge_updates", interrupt)
    with pytest.raises(signal):
        document.apply([EMPTY_UPDATE, EMPTY_UPDATE])
    assert document.condemned
    with pytest.raises(signal):
        merge([EMPTY_UPDATE, EMPTY_UPDATE])


def test_an_unread_state_is_served_as_it_is_and_read_when_something_is_asked_of_it() -> None:
    first = Document(client_id=7)
    first.edit([TextEdit(0, 0, "Hello")])
    state, state_vector = first.encode_state(), first.encode_state_vector()
    more = first.edit([TextEdit(5, 5, "!")])
    questions: list[Callable[[Document], object]] = [
        lambda document: document.text,
        lambda document: document.apply([more]),
        lambda document: document.encode_diff(state_vector),
        lambda document: document.edit([TextEdit(0, 0, "")]),
    ]
    for ask in questions:
        document = Document.unread(state, state_vector)
        assert (document.encode_state(), document.encode_state_vector()) == (state, state_vector)
        assert document.encode_diff(EMPTY_STATE_VECTOR) == state
        ask(document)
        document.apply([more])
        assert document.text == "Hello!"
        assert document.encode_state() == first.encode_state()


def test_an_unread_state_that_the_engine_does_not_take_condemns_the_document() -> None:
    document = Document.unread(b"\xff", b"\x00")
    assert document.encode_state() == b"\xff"
    with pytest.raises(EngineFailure):
        _ = document.text
    assert document.condemned
