"""What goes into the journal and what comes out of it. The bytes are never interpreted here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class EditKind(StrEnum):
    """How an edit came about."""

    CREATED = "created"
    TYPED = "typed"
    PASTED = "pasted"
    RESTORED = "restored"
    API = "api"
    RUN = "run"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Edit:
    """One update and who made it.

    Args:
        update: the bytes of the CRDT update.
        user_id: the author.
        kind: how it came about.
    """

    update: bytes
    user_id: UUID
    kind: EditKind = EditKind.TYPED


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One committed row of the journal.

    Args:
        seq: its place in the prompt's journal; the first is 1, and there are no gaps.
        update: the bytes of the CRDT update.
        user_id: the author.
        kind: how it came about.
        created_at: when it was committed.
    """

    seq: int
    update: bytes
    user_id: UUID
    kind: EditKind
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Byline:
    """Who brought a row of the journal.

    Args:
        seq: its place in the prompt's journal.
        user_id: the author.
        kind: how it came about.
        created_at: when it was committed.
    """

    seq: int
    user_id: UUID
    kind: EditKind
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Head:
    """Where a prompt's journal ends.

    Args:
        seq: of its last entry.
        epoch: changes when the document was made anew.
    """

    seq: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Append:
    """Edits of one prompt that are committed together, with the client ids they use for the first time.

    Args:
        prompt_id: the prompt.
        edits: in causal order; none for a probe.
        bindings: new client id -> the user it belongs to from now on.
    """

    prompt_id: UUID
    edits: tuple[Edit, ...]
    bindings: Mapping[int, UUID]

    @property
    def size(self) -> int:
        """About how many bytes this holds in memory while it waits."""
        return sum(len(edit.update) for edit in self.edits) + 200 * (len(self.edits) + len(self.bindings) + 1)
