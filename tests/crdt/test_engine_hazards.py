"""What the engine does to whoever trusts it: each hazard as it is, beside what holds it off.

When one of these fails, the engine was changed, and what holds the hazard off may go.
"""

import pycrdt
import pytest

from crdt.diff import TextEdit
from crdt.document import (
    EMPTY_UPDATE,
    TEXT_NAME,
    Document,
    initial_state,
)
from crdt.errors import OffsetError, UpdateError
from crdt.update import read_update


def test_the_engine_counts_bytes_where_browsers_count_utf16_units() -> None:
    """The hazard itself, and that our offsets are the browsers'."""
    engine: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc()
    text = engine.get(TEXT_NAME, type=pycrdt.Text)
    text.insert(0, "a😀b")
    text.insert(2, "!")
    assert str(text) == "a😀b!"

    document = Document(initial_state("a😀b", 7))
    document.edit([TextEdit(3, 3, "!"), TextEdit(0, 0, "é"), TextEdit(4, 4, "漢")])
    assert document.text == "éa😀!b漢"


def test_pending_structs_vanish_from_the_state_of_the_engine() -> None:
    """The hazard itself: why nothing is applied that is not ready."""
    author = Document(client_id=7)
    first, second = author.edit([TextEdit(0, 0, "a")]), author.edit([TextEdit(1, 1, "b")])
    document = Document()
    document.apply([second])
    assert document.text == ""
    assert document.encode_state() == EMPTY_UPDATE
    assert document.state_vector() == {}
    document.apply([first])
    assert document.text == "ab"


def test_a_write_under_anothers_client_id_silences_them_and_state_vectors_do_not_tell() -> None:
    """The hazard itself: why every client id is bound to its user before anything is applied."""
    state = initial_state("hello", 7)
    poison = bytes.fromhex("0101070500e80700")
    victim, other = Document(state, client_id=7), Document(state)
    other.apply([poison])
    other.apply([victim.edit([TextEdit(5, 5, "!" * 1_000)])])
    assert other.text == "hello"
    assert victim.text == "hello" + "!" * 1_000
    assert other.state_vector() == victim.state_vector()
    # What the binding needs to know stands in what the strict reader answers.
    assert read_update(poison).writes == ((7, 5, 1_005),)


def test_two_clients_with_one_id_end_with_different_texts() -> None:
    state = initial_state("hello", 7)
    twins = [Document(state, client_id=8) for _ in range(2)]
    first, second = (twin.edit([TextEdit(5, 5, letter)]) for twin, letter in zip(twins, "ab", strict=True))
    twins[0].apply([second])
    twins[1].apply([first])
    assert [twin.text for twin in twins] == ["helloa", "hellob"]
    assert twins[0].state_vector() == twins[1].state_vector()


def test_half_a_surrogate_pair_is_taken_for_a_whole_one() -> None:
    # Deleting the low half of the emoji in "a😀b": Yjs shows a replacement character and keeps the "b".
    document = Document(initial_state("a😀b", 1))
    document.apply([bytes.fromhex("000101010201")])
    assert document.text == "a😀"
    # What the engine then says of itself holds an empty struct, which the strict reader refuses.
    with pytest.raises(UpdateError) as raised:
        read_update(document.encode_state())
    assert raised.value.code == "update_empty_struct"


def test_half_a_surrogate_from_python_never_reaches_the_engine() -> None:
    document = Document(initial_state("ab", 7))
    for half in ("\ud83d", "\ude00"):
        with pytest.raises(OffsetError):
            document.edit([TextEdit(1, 1, half)])
    assert document.text == "ab"
    assert not document.condemned
