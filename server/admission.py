"""Which updates may enter a room's journal, and in which order.

Rules
    1. What the room knows already is acknowledged, never stored again.
    2. New structs under a client id are only taken from the user that the id is bound to. An unknown id is bound to
       the first user who writes under it, a few per connection, and not while another user is present under it: who
       shows a cursor types under the same id next. Since nobody ever holds another user's unstored edit, new structs
       under a foreign id are an attack or a copied document, never a relay.
    3. A prompt is one text: nothing but text and its formatting, in the root that everybody shows, and no character is
       taken apart.
    4. Of an update that repeats what is known only the rest is stored. Honest steps 2 repeat what is on its way; but
       what an update claims of the known can win where updates are merged, and so rewrite another user's text.
    5. An update whose dependencies are not all here is held back, bounded, and let in as soon as they are. The engine
       loses text when it is fed out of causal order.

`knowledge` runs ahead of the document: it holds what is committed and what is on its way to the journal. When a commit
fails the room throws the whole of it away.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from crdt.causality import HoldBack
from crdt.document import TEXT_NAME, beyond
from crdt.errors import HoldBackFull, UpdateError
from crdt.update import read_state_vector, read_update
from server.errors import ClientIdConflict, FrameRejected, ServerError, TooLarge
from server.limits import (
    HOLD_BACK_BYTES,
    HOLD_BACK_UPDATES,
    MAX_CLIENT_IDS_PER_CONNECTION,
    MAX_DOCUMENT_BYTES,
    MAX_INSERTIONS_PER_UPDATE,
)
from server.membership import Author, Submission

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from crdt.causality import Knowledge
    from crdt.summary import Structure, UpdateSummary
    from server.arrivals import Elsewhere

_NONE: Final[Mapping[int, UUID]] = MappingProxyType({})


def read_submitted(update: bytes) -> UpdateSummary:
    """Reads an update that somebody hands in; runs in a worker when it is heavy.

    Raises UpdateError, and TooLarge for one that is well formed and would hold up everybody.
    """
    summary = read_update(update)
    if len(summary.places) > MAX_INSERTIONS_PER_UPDATE:
        message = f"An update of more than {MAX_INSERTIONS_PER_UPDATE:,} separate insertions."
        raise TooLarge(message, code="update_too_scattered")
    return summary


class Verdict(Enum):
    """What became of an update that was handed in."""

    KNOWN = auto()
    ADMITTED = auto()
    HELD_BACK = auto()


class Admission:
    """The gate of one room.

    Arguments: `knowledge` is what the document holds and `bindings` maps client ids to users; both are owned by the
    gate from here on. `measure` answers the size in bytes of the encoded document with all that was admitted; it is
    asked rarely, because between two measurements the sizes of the updates are added up, which is always too much.
    `announced_by` answers who is present under a client id.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        bindings: dict[int, UUID],
        *,
        measure: Callable[[], int],
        announced_by: Callable[[int], UUID | None],
    ) -> None:
        self.knowledge = knowledge
        self.bindings = bindings
        self._announced_by = announced_by
        self._measure = measure
        self._document_bytes = measure()
        self._new_bindings: dict[int, UUID] = {}
        self._hold_back: HoldBack[Submission] = HoldBack(max_updates=HOLD_BACK_UPDATES, max_bytes=HOLD_BACK_BYTES)

    def admit(self, submission: Submission) -> tuple[Verdict, list[Submission]]:
        """Decides about one update.

        Answers the verdict and, when it was admitted, what goes to the journal now: the update itself and whatever had
        waited for it, in an order that is safe to apply.

        Raises ClientIdConflict (rule 2), FrameRejected (rule 3), TooLarge (the document would outgrow its bound) and
        UpdateError (it would damage the document).
        """
        summary = submission.summary
        _check_is_text(summary.structure)
        if self.knowledge.is_known(summary):
            return Verdict.KNOWN, []
        if not self.knowledge.is_ready(summary):
            self._hold(submission)
            return Verdict.HELD_BACK, []
        admitted = [self._let_in(submission)]
        if len(self._hold_back):
            self._release_into(admitted)
        return Verdict.ADMITTED, admitted

    def take_in(self, elsewhere: Elsewhere) -> list[Submission]:
        """Takes in what another node has committed, in journal order; answers what had waited for it.

        Raises UpdateError and ClientIdConflict where it does not go together with what is on its way from here: the
        journal decides then, and everything has to be read anew.
        """
        for summary in elsewhere.summaries:
            if self.knowledge.repeats(summary) or not self.knowledge.is_ready(summary):
                raise UpdateError("two nodes wrote under one client id at once", code="journal_overlaps")
            # An envelope is a flush, merged: what each of its updates may cost was looked at where it was let in.
            self.knowledge.check(summary, is_stored=True)
            self.knowledge.add(summary)
        for client, user_id in elsewhere.bindings.items():
            if self.bindings.setdefault(client, user_id) != user_id:
                message = f"The client id {client} was bound to another user by another node."
                raise ClientIdConflict(message)
        self._document_bytes += elsewhere.size
        released: list[Submission] = []
        if len(self._hold_back):
            self._release_into(released)
        return released

    def check_state_vector(self, state_vector: bytes) -> None:
        """Raises StateVectorError where nobody can have this state vector: a diff from there would damage a replica."""
        self.knowledge.landmarks.check_state_vector(read_state_vector(state_vector))

    def take_new_bindings(self) -> Mapping[int, UUID]:
        """Answers the client ids bound since the last call; they are stored with the updates that use them.

        What was answered does not change: the thread that writes the journal goes through it later.
        """
        if not self._new_bindings:
            return _NONE
        taken, self._new_bindings = self._new_bindings, {}
        return taken

    def _hold(self, submission: Submission) -> None:
        try:
            self._hold_back.hold(submission.update, submission.summary, submission)
        except HoldBackFull:
            # Nothing is lost: whoever sent these is asked for a sync step and sends what is missing in order.
            self._hold_back.clear()

    def _release_into(self, admitted: list[Submission]) -> None:
        for _, summary, submission in self._hold_back.release(self.knowledge):
            if not self.knowledge.is_ready(summary):
                continue  # it built on one that was refused
            try:
                admitted.append(self._let_in(submission))
            except ServerError as error:
                submission.author.refused(error)
            except UpdateError as error:
                submission.author.refused(FrameRejected(str(error), code=error.code))

    def _let_in(self, submission: Submission) -> Submission:
        """Takes a submission and answers it as it goes to the journal."""
        self.knowledge.check(submission.summary)
        if self.knowledge.repeats(submission.summary):
            rest = beyond(submission.update, self.knowledge.state)
            submission = replace(submission, update=rest, summary=read_update(rest))
        if submission.summary.writes:
            # What only deletes makes room, and is the only way out of a prompt that is full.
            self._check_size(len(submission.update))
        self._bind(submission)
        self._document_bytes += len(submission.update)
        self.knowledge.add(submission.summary)
        return submission

    def _check_size(self, added: int) -> None:
        if self._document_bytes + added <= MAX_DOCUMENT_BYTES:
            return
        self._document_bytes = self._measure()
        if self._document_bytes + added > MAX_DOCUMENT_BYTES:
            message = f"The prompt would take more than {MAX_DOCUMENT_BYTES:,} bytes with its history."
            raise TooLarge(message)

    def _bind(self, submission: Submission) -> None:
        author = submission.author
        new: list[int] = []
        for client, _, end in submission.summary.writes:
            if end <= self.knowledge.state.get(client, 0):
                continue
            owner = self.bindings.get(client)
            if owner == author.user_id:
                continue
            if (owner or self._announced_by(client) or author.user_id) != author.user_id:
                message = f"The client id {client} belongs to another user."
                raise ClientIdConflict(message)
            new.append(client)
        if new:
            self._bind_new(author, set(new))

    def _bind_new(self, author: Author, clients: set[int]) -> None:
        author.client_ids_bound += len(clients)
        if author.client_ids_bound > MAX_CLIENT_IDS_PER_CONNECTION:
            message = f"More than {MAX_CLIENT_IDS_PER_CONNECTION} new client ids from one connection."
            raise ClientIdConflict(message, code="client_id_limit")
        for client in clients:
            self.bindings[client] = self._new_bindings[client] = author.user_id


def _check_is_text(structure: Structure) -> None:
    if not structure.is_text or not structure.roots <= {TEXT_NAME}:
        message = f"A prompt is one text, named {TEXT_NAME}; the update writes something else."
        raise FrameRejected(message, code="update_not_text")
