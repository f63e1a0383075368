"""The CRDT document of one prompt; the only importer of the engine.

Rules:

- Whatever leaves the engine as an exception, ``BaseException`` included (a Rust panic is one),
  condemns the document: a failing call is not atomic, so every later call is an ``EngineFailure``.
- Only updates that the strict reader has accepted and that are causally ready may be applied: the
  engine loses text out of order, and what is pending vanishes from its state.
- The engine's text counts UTF-8 bytes; offsets are converted on the way in, here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random, SystemRandom
from typing import Any

import pycrdt

from crdt.diff import TextEdit, apply_edits, in_order, normalize_newlines, split_at_edits
from crdt.errors import EngineFailure, OffsetError
from crdt.guard import Guard, failures_of_the_engine
from crdt.offsets import utf8_length
from crdt.update import encode_state_vector, read_state_vector

TEXT_NAME = "content"
EMPTY_UPDATE = b"\x00\x00"
EMPTY_STATE_VECTOR = b"\x00"

# The engine's merge is quadratic: 10,000 updates take 440 ms at once and 17 ms in chunks of this many.
_MERGE_CHUNK = 100


class Document:
    """A replica of a prompt's text.

    Args:
        state: an update that holds the whole state, or nothing for an empty document.
        client_id: under which id local edits are written; a fresh one if none is given.

    Raises:
        EngineFailure: the engine did not survive the state.
    """

    def __init__(self, state: bytes | None = None, *, client_id: int | None = None) -> None:
        self.client_id = new_client_id(SystemRandom()) if client_id is None else client_id
        self.condemned = False
        self._guard = Guard(self)
        self._listeners: list[Callable[[bytes], None]] = []
        self._state: bytes | None = None
        self._state_vector: bytes | None = None
        self._text: str | None = None
        self._unread: bytes | None = None
        with self._guard:
            self._engine: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc(client_id=self.client_id)
            self._content = self._engine.get(TEXT_NAME, type=pycrdt.Text)
            if state is not None:
                self._engine.apply_update(state)

    @classmethod
    def unread(cls, state: bytes, state_vector: bytes) -> Document:
        """A replica that the engine reads when it is first asked for more than what is given here.

        Whoever opens a prompt is served from its state as it is; decoding 400 KB of it takes 15 ms.

        Args:
            state: an update that holds the whole state, in the bytes that the engine itself made of it.
            state_vector: the next clock of every client in it, encoded.
        """
        document = cls()
        document._unread = document._state = state
        document._state_vector = state_vector
        return document

    @property
    def text(self) -> str:
        """The text; kept until the next change."""
        with self._guard:
            if self._text is None:
                self._read()
                self._text = str(self._content)
            return self._text

    def apply(self, updates: Sequence[bytes]) -> bytes:
        """Apply updates that are causally ready, all in one transaction.

        Args:
            updates: V1 updates in an applicable order.

        Returns:
            One V1 update that holds them all; of a single update, the same bytes.

        Raises:
            EngineFailure: the engine raised; the document is condemned.
        """
        # Merged first and applied once: 0.9-1.3 µs an update in batches of 10 to 50, against 1.3-2.1 with an
        # observer that encodes what a transaction changed, and 1.9-3.5 for applying each and merging beside it.
        # The merged update keeps the delete sets as they came, which an observer's would not repeat.
        with self._guard:
            self._read()
            merged = _merge(updates)
            self._engine.apply_update(merged)
            self._state = self._state_vector = self._text = None
        return merged

    def watch(self) -> list[list[dict[str, Any]]]:
        """A list that takes in what each later change does to the text: ``insert``, ``retain`` and ``delete``.

        The last two count UTF-8 bytes of the text before the change; what is embedded counts 1.
        """
        changes: list[list[dict[str, Any]]] = []
        with self._guard:
            self._read()
            self._content.observe(lambda event: changes.append(event.delta))  # type: ignore[attr-defined]
        return changes

    def encode_state(self) -> bytes:
        """The whole document as one update; kept until the next change."""
        with self._guard:
            if self._state is None:
                self._state = self._engine.get_update()
            return self._state

    def encode_diff(self, state_vector: bytes) -> bytes:
        """What a replica with this state vector lacks, as one update.

        Args:
            state_vector: bytes that the strict reader has accepted.
        """
        if state_vector == EMPTY_STATE_VECTOR:
            return self.encode_state()
        with self._guard:
            self._read()
            return self._engine.get_update(state_vector)

    def encode_state_vector(self) -> bytes:
        """The next clock of every client, encoded; kept until the next change."""
        with self._guard:
            if self._state_vector is None:
                self._state_vector = self._engine.get_state()
            return self._state_vector

    def state_vector(self) -> dict[int, int]:
        """The next clock of every client, in UTF-16 code units."""
        return read_state_vector(self.encode_state_vector())

    def observe(self, listener: Callable[[bytes], None]) -> None:
        """Have a function called with the update of every local edit."""
        self._listeners.append(listener)

    def edit(self, edits: Iterable[TextEdit]) -> bytes:
        """Change the text under this document's client id.

        Args:
            edits: in UTF-16 offsets into the present text, not overlapping.

        Returns:
            The update that carries the change; the empty update if nothing changed.

        Raises:
            OffsetError: an edit names no place in the text, or places cannot be told because something is
                embedded in it (``text_embedded``); nothing has changed.
            EngineFailure: the engine raised; the document is condemned.
        """
        edits = [edit for edit in in_order(edits) if edit.text or edit.end > edit.start]
        pieces = split_at_edits(self.text, edits)
        self._check_only_text()
        updates: list[bytes] = []
        with self._guard:
            subscription = self._engine.observe(lambda event: updates.append(event.update))
            try:
                self._replace(pieces, edits)
            finally:
                self._engine.unobserve(subscription)
        self._state = self._state_vector = self._text = None
        for listener in self._listeners:
            for update in updates:
                listener(update)
        return updates[0] if updates else EMPTY_UPDATE

    def _read(self) -> None:
        if self._unread is not None:
            state, self._unread = self._unread, None
            self._engine.apply_update(state)

    def _check_only_text(self) -> None:
        # The engine counts embedded values and types among the bytes of the text and shows them to nobody, so
        # behind them every place would be a wrong one.
        with self._guard:
            counted = len(self._content)
        if counted != utf8_length(self.text):
            raise OffsetError("something that is no text is embedded in the text", code="text_embedded")

    def _replace(self, pieces: Sequence[str], edits: Sequence[TextEdit]) -> None:
        kept, replaced = pieces[0::2], pieces[1::2]
        end = sum(map(utf8_length, pieces[:-1]))
        with self._engine.transaction():
            # From the end of the text to its beginning, so that no edit moves the place of another.
            for before, gone, edit in reversed(list(zip(kept, replaced, edits, strict=False))):
                start = end - utf8_length(gone)
                if gone:
                    del self._content[start:end]
                if edit.text:
                    self._content.insert(start, edit.text)
                end = start - utf8_length(before)


def initial_state(text: str, client_id: int) -> bytes:
    """The state of a new prompt.

    Args:
        text: its content; line ends are normalised.
        client_id: the id under which it is written, bound to the author.

    Raises:
        OffsetError: the text holds a lone surrogate (``text_invalid``).
    """
    document = Document(client_id=client_id)
    document.edit([TextEdit(0, 0, normalize_newlines(text))])
    return document.encode_state()


def edit_update(state: bytes, edits: Iterable[TextEdit], client_id: int) -> bytes:
    """An edit made for somebody, in a scratch document.

    Args:
        state: the state the edits speak of.
        edits: in UTF-16 offsets into its text; line ends are normalised.
        client_id: an id that has written nothing yet, bound to the person.

    Returns:
        The update to submit; the empty update if nothing changes.

    Raises:
        OffsetError: as ``Document.edit``.
        EngineFailure: the engine raised, or its text is not what the edits ask for.
    """
    edits = [TextEdit(edit.start, edit.end, normalize_newlines(edit.text)) for edit in edits]
    scratch = Document(state, client_id=client_id)
    wanted = apply_edits(scratch.text, edits)
    update = scratch.edit(edits)
    if scratch.text != wanted:
        raise EngineFailure("the engine made another text than the edits ask for")
    return update


def canonical_state(state: bytes) -> bytes:
    """The bytes that every replica with this state arrives at: those of a document rebuilt once."""
    return Document(Document(state).encode_state()).encode_state()


def merge(updates: Sequence[bytes]) -> bytes:
    """One update that holds all of them, in time linear in their number for thousands of updates.

    Raises:
        EngineFailure: the engine raised.
    """
    with failures_of_the_engine():
        return _merge(updates)


def beyond(update: bytes, state: Mapping[int, int]) -> bytes:
    """What an update brings beyond what is known; whatever it claims of that is left out.

    An update may repeat what is known, and applied by itself it changes nothing there.  Merged with others
    its claims can win, so they must not be stored.

    Args:
        update: bytes that the strict reader has accepted.
        state: the next clock of every client that is known.

    Raises:
        EngineFailure: the engine raised.
    """
    with failures_of_the_engine():
        return pycrdt.get_update(update, encode_state_vector(state))


def new_client_id(random: Random) -> int:
    """A client id as Yjs chooses them: 32 bits, never 0."""
    return random.randrange(1, 2**32)


def _merge(updates: Sequence[bytes]) -> bytes:
    if len(updates) <= 1:
        return updates[0] if updates else EMPTY_UPDATE
    while len(updates) > _MERGE_CHUNK:
        chunks = (updates[start : start + _MERGE_CHUNK] for start in range(0, len(updates), _MERGE_CHUNK))
        updates = [pycrdt.merge_updates(*chunk) for chunk in chunks]
    return pycrdt.merge_updates(*updates)
