"""What the store can refuse, and whose fault it is.

    StoreError
    ├── StoreUnavailable        the database cannot be reached or written now: try again later
    │   ├── StoreOverloaded     more is waiting to be written than memory allows: try again later
    │   └── StoreDamaged        the file is not a sound database any more: restore a backup
    ├── StoreInUse              another process owns this database: stop it first
    ├── SchemaOutdated          the database has another schema than this program: migrate
    ├── DatabaseUrlInvalid      the address of the database cannot be used: correct it
    ├── CheckpointInvalid       stored bytes are not what was written: discard and rebuild
    ├── KeyframeInvalid         stored bytes are not what was written: take an older one
    ├── NotFound                no such row for this caller
    │   └── TokenInvalid        unknown, used, revoked or expired ticket or token
    └── Conflict                the row is not as the caller believed
        ├── ClientIdConflict    the client id belongs to another user
        ├── VersionConflict     somebody else changed the row first
        ├── HeadMoved           another version was made meanwhile
        ├── LabelMoved          the label is not where the caller believed
        ├── LabelLimit          the prompt has as many labels as it may
        ├── LastOwner           an organization would be left without an owner
        ├── KeyInProgress       the first request with this idempotency key has not answered yet
        └── KeyReused           the idempotency key belongs to another request

Every class carries a stable ``code`` that is safe to show to a client and is never reworded.
"""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID


class StoreError(Exception):
    """Anything the store refuses; ``code`` is stable, the message is for people."""

    code: ClassVar[str] = "store_error"


class StoreUnavailable(StoreError):
    """The database is locked, full, stopped or gone.

    Raised by a commit it leaves two possibilities: nothing was written, or all of it was and only
    the answer was lost. It is never a part. Read the journal to know which.
    """

    code = "store_unavailable"


class StoreOverloaded(StoreUnavailable):
    """More bytes are waiting for a commit than the bound allows; nothing was queued."""

    code = "overloaded"


class StoreDamaged(StoreUnavailable):
    """The database file is corrupt; waiting does not help, and nothing is acknowledged meanwhile."""

    code = "store_damaged"


class StoreInUse(StoreError):
    """Another process owns the database."""

    code = "store_in_use"


class SchemaOutdated(StoreError):
    """The schema of the database is not the one this program was written for."""

    code = "schema_outdated"


class DatabaseUrlInvalid(StoreError):
    """The database URL names nothing that can be opened; the message never holds its password."""

    code = "database_url_invalid"


class CheckpointInvalid(StoreError):
    """The bytes of a checkpoint do not match their digest.

    Args:
        prompt_id: the prompt whose checkpoint it is.
        seq: the journal position the checkpoint claims to cover, for ``Checkpoints.discard``.
    """

    code = "checkpoint_invalid"

    def __init__(self, prompt_id: UUID, seq: int) -> None:
        super().__init__(f"checkpoint of prompt {prompt_id} at seq {seq} does not match its digest")
        self.prompt_id = prompt_id
        self.seq = seq


class KeyframeInvalid(StoreError):
    """The bytes of a keyframe do not match their digest.

    Args:
        prompt_id: the prompt whose keyframe it is.
        seq: where in the journal it claims to be.
    """

    code = "keyframe_invalid"

    def __init__(self, prompt_id: UUID, seq: int) -> None:
        super().__init__(f"keyframe of prompt {prompt_id} at seq {seq} does not match its digest")
        self.prompt_id = prompt_id
        self.seq = seq


class NotFound(StoreError):
    """No such row, or none that this caller may know of."""

    code = "not_found"


class TokenInvalid(NotFound):
    """A ticket or refresh token that is unknown, used, revoked or expired; never says which."""

    code = "token_invalid"


class Conflict(StoreError):
    """The database already holds something that contradicts the request."""

    code = "conflict"


class ClientIdConflict(Conflict):
    """A client id of this prompt is bound to another user."""

    code = "client_id_conflict"


class VersionConflict(Conflict):
    """The row has another version than the caller last read."""

    code = "version_conflict"


class HeadMoved(Conflict):
    """The latest version is not the one that a new version was made after.

    Args:
        head: the id of the latest version; None where there is none.
    """

    code = "head_moved"

    def __init__(self, head: str | None) -> None:
        super().__init__(f"the latest version is {head}")
        self.head = head


class LabelMoved(Conflict):
    """The label is not where the caller believed.

    Args:
        version_id: where it is; None where there is no such label.
    """

    code = "label_moved"

    def __init__(self, version_id: str | None) -> None:
        super().__init__(f"the label is at {version_id}")
        self.version_id = version_id


class LabelLimit(Conflict):
    """The prompt has as many labels as it may."""

    code = "label_limit"


class LastOwner(Conflict):
    """The change would leave an organization without an owner."""

    code = "last_owner"


class KeyInProgress(Conflict):
    """The first request with this idempotency key is still being answered."""

    code = "idempotency_in_progress"


class KeyReused(Conflict):
    """The idempotency key was used with a different request."""

    code = "idempotency_key_reused"
