"""Which updates may enter the journal."""

from uuid import UUID, uuid4

import pytest

from crdt.causality import Knowledge
from crdt.codec import write_var_string, write_var_uint
from crdt.diff import TextEdit
from crdt.document import TEXT_NAME, Document, initial_state, merge
from crdt.errors import UpdateError
from crdt.update import read_update
from persistence.edits import EditKind
from server.admission import Admission, Verdict, read_submitted
from server.errors import ClientIdConflict, FrameRejected, ServerError, TooLarge
from server.limits import (
    HOLD_BACK_UPDATES,
    MAX_CLIENT_IDS_PER_CONNECTION,
    MAX_DOCUMENT_BYTES,
    MAX_INSERTIONS_PER_UPDATE,
)
from server.membership import Submission


class Author:
    """An author that remembers what became of its submissions."""

    def __init__(self, user_id: UUID | None = None) -> None:
        self.user_id = user_id or uuid4()
        self.client_ids_bound = 0
        self.errors: list[ServerError] = []

    def committed(self, submission: Submission) -> None:
        """Not heard by the gate's tests."""

    def flush_acknowledgement(self) -> None:
        """Not heard by the gate's tests."""

    def held_back(self) -> None:
        """Not heard by the gate's tests."""

    def dropped(self) -> None:
        """Not heard by the gate's tests."""

    def refused(self, error: ServerError) -> None:
        """Remember."""
        self.errors.append(error)


def submission(update: bytes, author: Author) -> Submission:
    return Submission(update, read_update(update), author, 1, answers_step_1=False, kind=EditKind.TYPED)


class Desk:
    """A gate with a prompt behind it, and replicas to write with."""

    def __init__(self, size: int = 100) -> None:
        self.state = initial_state("Hello", 1)
        self.size = size
        self.gate = Admission(
            Knowledge.of(read_update(self.state)), {1: uuid4()}, measure=lambda: self.size, announced_by=lambda _: None
        )

    def replica(self, client_id: int) -> Document:
        return Document(self.state, client_id=client_id)


def typed(document: Document, text: str) -> bytes:
    end = len(document.text)
    return document.edit([TextEdit(end, end, text)])


def test_a_new_client_id_is_bound_to_its_first_user() -> None:
    desk, anna = Desk(), Author()
    verdict, admitted = desk.gate.admit(submission(typed(desk.replica(7), "!"), anna))
    assert verdict is Verdict.ADMITTED
    assert len(admitted) == 1
    assert desk.gate.take_new_bindings() == {7: anna.user_id}
    assert desk.gate.take_new_bindings() == {}


def test_what_was_taken_does_not_grow_while_it_is_written() -> None:
    desk, anna = Desk(), Author()
    taken = desk.gate.take_new_bindings()
    desk.gate.admit(submission(typed(desk.replica(7), "!"), anna))
    assert taken == {}, "the journal's thread goes through it meanwhile"
    assert desk.gate.take_new_bindings() == {7: anna.user_id}


def test_nobody_writes_under_a_client_id_of_another() -> None:
    desk, anna, mallory = Desk(), Author(), Author()
    replica = desk.replica(7)
    desk.gate.admit(submission(typed(replica, "a"), anna))
    with pytest.raises(ClientIdConflict):
        desk.gate.admit(submission(typed(replica, "b"), mallory))
    assert desk.gate.knowledge.state[7] == 1


def test_relaying_what_is_known_is_no_offence() -> None:
    desk, anna, ben = Desk(), Author(), Author()
    update = typed(desk.replica(7), "a")
    desk.gate.admit(submission(update, anna))
    assert desk.gate.admit(submission(update, ben)) == (Verdict.KNOWN, [])


def test_what_comes_too_early_waits_and_comes_out_in_order() -> None:
    desk, anna = Desk(), Author()
    replica = desk.replica(7)
    first, second, third = (typed(replica, letter) for letter in "abc")
    assert desk.gate.admit(submission(third, anna)) == (Verdict.HELD_BACK, [])
    assert desk.gate.admit(submission(second, anna)) == (Verdict.HELD_BACK, [])
    _, admitted = desk.gate.admit(submission(first, anna))
    assert [each.update for each in admitted] == [first, second, third]


def test_a_held_back_update_under_a_foreign_client_id_is_refused_when_its_turn_comes() -> None:
    desk, anna, mallory = Desk(), Author(), Author()
    replica = desk.replica(7)
    first, second = typed(replica, "a"), typed(replica, "b")
    desk.gate.admit(submission(second, mallory))
    _, admitted = desk.gate.admit(submission(first, anna))
    assert [each.update for each in admitted] == [first]
    assert [error.code for error in mallory.errors] == ["client_id_conflict"]


def test_hold_back_is_bounded() -> None:
    desk, anna = Desk(), Author()
    replica = desk.replica(7)
    first = typed(replica, "a")
    for _ in range(HOLD_BACK_UPDATES + 10):
        desk.gate.admit(submission(typed(replica, "b"), anna))
    _, admitted = desk.gate.admit(submission(first, anna))
    # What was let go comes back with the sync step that its author was asked for.
    assert admitted[0].update == first
    assert len(admitted) < HOLD_BACK_UPDATES


def test_client_ids_of_one_connection_are_bounded() -> None:
    desk, anna = Desk(), Author()
    for client_id in range(10, 10 + MAX_CLIENT_IDS_PER_CONNECTION):
        desk.gate.admit(submission(typed(desk.replica(client_id), "a"), anna))
    with pytest.raises(ClientIdConflict) as refused:
        desk.gate.admit(submission(typed(desk.replica(9), "a"), anna))
    assert refused.value.code == "client_id_limit"


def test_the_document_is_bounded_by_its_measured_size() -> None:
    desk, anna = Desk(), Author()
    replica = desk.replica(7)
    desk.gate._document_bytes = MAX_DOCUMENT_BYTES  # noqa: SLF001 - 16 MiB of typing would take long
    desk.gate.admit(submission(typed(replica, "a"), anna))  # added up it is too much, measured it is not
    desk.gate._document_bytes = desk.size = MAX_DOCUMENT_BYTES  # noqa: SLF001
    with pytest.raises(TooLarge):
        desk.gate.admit(submission(typed(replica, "b"), anna))


def test_an_update_that_would_hold_up_everybody_is_not_taken() -> None:
    most = typed_backwards(MAX_INSERTIONS_PER_UPDATE)
    assert len(read_submitted(most).places) == MAX_INSERTIONS_PER_UPDATE
    with pytest.raises(TooLarge) as refused:
        read_submitted(typed_backwards(MAX_INSERTIONS_PER_UPDATE + 1))
    assert refused.value.code == "update_too_scattered"


def typed_backwards(letters: int) -> bytes:
    """One update by client 7, of letters that were each put in front of the one before."""
    first = b"\x04\x01" + write_var_string(TEXT_NAME) + write_var_string("a")
    others = (b"\x44\x07" + write_var_uint(clock) + write_var_string("a") for clock in range(letters - 1))
    return b"\x01" + write_var_uint(letters) + b"\x07\x00" + first + b"".join(others) + b"\x00"


def test_a_prompt_is_nothing_but_one_text() -> None:
    desk, mallory = Desk(), Author()
    # One insertion of "a" into a root type named "other", and of one map entry into "content".
    elsewhere = bytes.fromhex("010107000401056f74686572016100")
    entry = bytes.fromhex("0101070028010763" + "6f6e74656e74" + "016b01770176" + "00")
    for update in (elsewhere, entry):
        with pytest.raises(FrameRejected) as refused:
            desk.gate.admit(submission(update, mallory))
        assert refused.value.code == "update_not_text"


def test_nobody_takes_an_emoji_apart() -> None:
    desk, anna, mallory = Desk(), Author(), Author()
    desk.gate.admit(submission(typed(desk.replica(7), "😀"), anna))
    half = bytes.fromhex("00" + "01" + "07" + "01" + "00" + "01")  # deletes clock 0 of client 7: half the emoji
    with pytest.raises(UpdateError) as refused:
        desk.gate.admit(submission(half, mallory))
    assert refused.value.code == "update_pair_split"


def test_of_what_is_known_nothing_is_stored_again() -> None:
    desk, anna, mallory = Desk(), Author(), Author()
    replica = desk.replica(7)
    first = typed(replica, " and the truth")
    desk.gate.admit(submission(first, anna))
    second = typed(replica, ", more of it")
    _, (stored,) = desk.gate.admit(submission(merge([first, second]), anna))
    assert [(start, end) for _, start, end in stored.summary.writes] == [(14, 26)]

    # Another's known text with other content, and something of one's own so that it is not known.
    forged = first.replace(b" and the truth", b" and the lies!")
    own = typed(Document(desk.state, client_id=9), "!")
    _, (stored,) = desk.gate.admit(submission(merge([forged, own]), mallory))
    assert [client for client, _, _ in stored.summary.writes] == [9]
    assert b"lies" not in stored.update
