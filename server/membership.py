"""What a room, those in it, and the process around them ask of each other.

Rooms and sessions know each other only through these, so either can be tested, and replaced, without the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from persistence.edits import EditKind
from server.attendance import Attendant
from server.audience import Audience, Reader

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from uuid import UUID

    from crdt.update import UpdateSummary
    from server.access import Principal
    from server.envelope import NodeMessage
    from server.errors import ServerError
    from server.outbox import Frame
    from server.presence import Presence

R_contra = TypeVar("R_contra", contravariant=True)


class Author(Protocol):
    """Where an update came from: a session, or a REST request."""

    @property
    def user_id(self) -> UUID:
        """Whose edits these are."""

    client_ids_bound: int
    """How many client ids were first seen from here."""

    def committed(self, submission: Submission) -> None:
        """The submission is in the journal, applied and shown."""

    def dropped(self) -> None:
        """The room lost its memory before the submission was known to be committed."""

    def flush_acknowledgement(self) -> None:
        """Tells the author of what `committed` has counted."""

    def held_back(self) -> None:
        """The submission waits for others: the author has to be asked for them."""

    def refused(self, error: ServerError) -> None:
        """A submission that was held back turned out not to be allowed."""


@dataclass(frozen=True, slots=True)
class Submission:
    """An update on its way into the journal.

    `ordinal` is its place among the step-2 and update messages of its connection, from 1, and `messages` how many were
    joined to it, of which it is the last; `answers_step_1` says that it is a whole step 2, so that it covers every
    earlier message of the connection.
    """

    update: bytes
    summary: UpdateSummary
    author: Author
    ordinal: int
    answers_step_1: bool
    kind: EditKind = EditKind.TYPED
    messages: int = 1


class Member(Author, Attendant, Reader, Protocol):
    """A session as its room uses it."""

    def joined(self, room: RoomOfMember, welcome: dict[str, object]) -> None:
        """The room is live and the member is in it."""

    def flush_acknowledgement(self) -> None:
        """Tells the client how many of its messages are committed."""

    def ask_for_sync(self) -> None:
        """Asks the client for everything that the committed document lacks."""

    def send_event(self, event: dict[str, object]) -> None:
        """Sends a room event."""

    def close(self, code: int, reason: str) -> None:
        """Closes the connection."""

    def fail(self, error: ServerError) -> None:
        """Closes the connection for an error."""


class RoomOfMember(Protocol):
    """The room as its members use it."""

    @property
    def presence(self) -> Presence:
        """Who is here."""

    @property
    def audience(self) -> Audience:
        """Who keeps up."""

    def submit(self, submission: Submission) -> None:
        """Takes an update; its author hears of it through `committed`. Raises ServerError."""

    def diff(self, state_vector: bytes) -> Frame | None:
        """Answers a step 2 with everything beyond the state vector, None where that will come unasked.

        Raises StateVectorError and EngineFailure.
        """

    def state_vector(self) -> bytes:
        """Answers the encoded state vector of all that was shown."""

    def leave(self, member: Member) -> None:
        """The session is closed."""


class RoomKeeper(Protocol[R_contra]):
    """What a room needs from whoever keeps the rooms of this process."""

    @property
    def node_id(self) -> UUID:
        """Which node this is."""

    @property
    def are_many(self) -> bool:
        """Whether other nodes may have the same prompt live."""

    def is_current(self) -> bool:
        """Whether this process may act on what it knows."""

    def tell(self, prompt_id: UUID, message: NodeMessage) -> None:
        """Says something to the other nodes on which the prompt is live."""

    def is_behind(self, room: R_contra) -> None:
        """The room has not shown all that it knows to be committed: it has to be read, unless it comes by itself."""

    def look_ahead(self, room: R_contra, submission: Submission | None = None) -> bool:
        """Looks how far the journal is, and hands the submission in again then; answers whether that can help."""

    def doubted(self, room: R_contra) -> None:
        """The room has lost its memory: rebuild it, and call `resume` or `close`."""

    def after_commit(self, room: R_contra) -> None:
        """Something of the room was committed and shown."""


class Surroundings(Protocol):
    """What a session needs from the process it runs in; the hub provides it."""

    def now(self) -> float:
        """Answers seconds that only go forward."""

    def spawn(self, work: Coroutine[object, object, None], *, name: str) -> object:
        """Runs work whose end somebody sees."""

    async def read_heavy(self, update: bytes) -> UpdateSummary:
        """Reads an update that is too large for the event loop. Raises UpdateError and Overloaded."""

    async def authenticate(self, token: str) -> Principal:
        """Answers who bears a token. Raises ServerError."""


def greeting(principal: Principal) -> dict[str, object]:
    """Answers what a client is told of itself when it has joined."""
    return {
        "type": "room.joined",
        "role": principal.role.value,
        "user_id": str(principal.user_id),
        "name": principal.name,
    }
