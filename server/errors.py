"""What can go wrong at the server's edge, as one tree.

ServerError
├── RequestInvalid        422  4400  the request's own fault; names the field
├── FrameRejected           -  4400  a malformed or hostile frame; carries the reader's code
├── NotAuthenticated      401  4401  no token, a bad one, or an expired one
├── Forbidden             403  4403  known, but the role does not allow it
│   ├── LabelProtected    403        only an owner may change this label
│   └── OriginRejected    403  4403  a browser page from a place that is not allowed
├── NotFound              404  4404  also the answer for what belongs to another organization
│   ├── LabelNotFound     404
│   ├── PromptNotFound    404  4404
│   └── VersionNotFound   404
├── MethodNotAllowed      405
├── Conflict              409
│   ├── EditConflict      409        the text an edit looks for is not there, or not unique
│   ├── EpochConflict     409  4409  the client holds another epoch of the document: reload
│   ├── ClientIdConflict  409  4409  a client id that belongs to another user: reload
│   ├── HeadMoved         409        the latest version is not the one that was expected
│   ├── LabelLimit        409        the prompt has as many labels as it may
│   ├── LabelMoved        409        the label is not where it was expected
│   ├── RefAmbiguous      409        several versions begin like this
│   ├── LastOwner         409        an organization keeps at least one owner
│   ├── IdempotencyInProgress 409    the first request with this key is still being answered
│   ├── IdempotencyKeyReused  422    the same key came with another request
│   └── PreconditionFailed    412    If-Match named another state of the resource
├── TooLarge              413  4413
├── TooManyAttempts       429        sign-in attempts
└── Unavailable           503  1013  not the client's fault: try again later
    ├── Overloaded        503  1013
    ├── StoreUnavailable  503  1013
    └── Restarting        503  1012

`code` is stable and documented (docs/operations.md); the message is for people and may change. `close_code` is what
a WebSocket is closed with when the error ends a session. No message ever holds a token, a password or a query string.
"""

from __future__ import annotations

from typing import ClassVar

from crdt.errors import CrdtError, FrameTooLarge

# https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1: the code of an end that nobody foresaw.
CLOSE_INTERNAL_ERROR = 1011


class ServerError(Exception):
    """A refusal with a stable code.

    Arguments: `message` is one sentence for a person; `code` replaces the class's code where one class carries several
    (a frame's reader error); `details` are extra members of the problem document, JSON values only; `retry_after` is
    in seconds.
    """

    code: str = "internal_error"
    status: ClassVar[int] = 500
    close_code: ClassVar[int] = CLOSE_INTERNAL_ERROR
    title: ClassVar[str] = "Something went wrong"

    def __init__(
        self,
        message: str = "",
        *,
        code: str | None = None,
        details: dict[str, object] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message or self.title)
        self.message = message or self.title
        if code is not None:
            self.code = code
        self.details = details or {}
        self.retry_after = retry_after


class RequestInvalid(ServerError):
    """The request does not have the form the endpoint asks for."""

    code = "request_invalid"
    status = 422
    close_code = 4400
    title = "The request is not valid"


class FrameRejected(ServerError):
    """A frame that is malformed or hostile; `code` is the reader's."""

    code = "frame_rejected"
    status = 400
    close_code = 4400
    title = "The frame is not valid"


class NotAuthenticated(ServerError):
    """No credential, or one that does not hold (any more)."""

    code = "not_authenticated"
    status = 401
    close_code = 4401
    title = "Sign in first"


class Forbidden(ServerError):
    """The principal is known, and may not."""

    code = "forbidden"
    status = 403
    close_code = 4403
    title = "Your role does not allow this"


class OriginRejected(Forbidden):
    """A browser page from an origin that is not in ALLOWED_ORIGINS."""

    code = "origin_rejected"
    title = "This origin is not allowed"


class LabelProtected(Forbidden):
    """A label that only an owner may change."""

    code = "label_protected"
    title = "This label is protected"


class NotFound(ServerError):
    """Not there, or not the caller's to see: the two are never told apart."""

    code = "not_found"
    status = 404
    close_code = 4404
    title = "Not found"


class PromptNotFound(NotFound):
    """No such prompt in the caller's organization."""

    code = "prompt_not_found"
    title = "No such prompt"


class LabelNotFound(NotFound):
    """The prompt has no label of this name."""

    code = "label_not_found"
    title = "No such label"


class VersionNotFound(NotFound):
    """A ref that names nothing."""

    code = "version_not_found"
    title = "No such version"


class MethodNotAllowed(ServerError):
    """The path exists, the method does not."""

    code = "method_not_allowed"
    status = 405
    title = "Method not allowed"


class Conflict(ServerError):
    """The request meets a state it did not expect."""

    code = "conflict"
    status = 409
    close_code = 4409
    title = "Conflict"


class EditConflict(Conflict):
    """What an edit looks for is not in the text exactly once, or its offsets are of another text."""

    code = "edit_conflict"
    title = "The edit does not fit the text"


class EpochConflict(Conflict):
    """The client holds a document of another epoch."""

    code = "epoch_conflict"
    title = "The document was replaced: reload"


class ClientIdConflict(Conflict):
    """A client id that belongs to another user."""

    code = "client_id_conflict"
    title = "The client id belongs to somebody else: reload"


class HeadMoved(Conflict):
    """The latest version is not the expected one; `head` says which it is."""

    code = "head_moved"
    title = "Another version was made meanwhile"


class LabelMoved(Conflict):
    """The label is not where it was expected; `version_id` says where it is."""

    code = "label_moved"
    title = "The label was moved meanwhile"


class LabelLimit(Conflict):
    """A prompt has a bounded number of labels."""

    code = "label_limit"
    title = "The prompt has as many labels as it may"


class RefAmbiguous(Conflict):
    """Several versions begin with the digits that were given."""

    code = "ref_ambiguous"
    title = "Several versions begin like this"


class LastOwner(Conflict):
    """The last owner can neither leave nor step down."""

    code = "last_owner"
    title = "An organization keeps at least one owner"


class IdempotencyInProgress(Conflict):
    """The first request with this Idempotency-Key is still being answered."""

    code = "idempotency_in_progress"
    title = "The first request with this Idempotency-Key is still being answered"


class IdempotencyKeyReused(Conflict):
    """An Idempotency-Key that came before with another request (draft-ietf-httpapi-idempotency-key-header §2.7)."""

    code = "idempotency_key_reused"
    status = 422
    title = "This Idempotency-Key was used for another request"


class PreconditionFailed(Conflict):
    """If-Match named another state (RFC 9110 §13.1.1)."""

    code = "precondition_failed"
    status = 412
    title = "It changed meanwhile"


class TooLarge(ServerError):
    """More bytes than the named limit."""

    code = "too_large"
    status = 413
    close_code = 4413
    title = "Too large"


class TooManyAttempts(ServerError):
    """Too many failed sign-ins; `retry_after` says when to come back."""

    code = "too_many_attempts"
    status = 429
    close_code = 1013
    title = "Too many attempts: wait a little"


class Unavailable(ServerError):
    """Not the client's fault, and not for ever."""

    code = "unavailable"
    status = 503
    close_code = 1013
    title = "Try again later"


class Overloaded(Unavailable):
    """A bound was reached (connections, inbox, outbox)."""

    code = "overloaded"
    title = "Overloaded: try again later"


class StoreUnavailable(Unavailable):
    """The database does not answer: nothing is acknowledged meanwhile."""

    code = "store_unavailable"
    title = "The database is away: try again later"


class Restarting(Unavailable):
    """The server is going down for a restart."""

    code = "restarting"
    close_code = 1012
    title = "Restarting: come back in a moment"


def every_error() -> list[type[ServerError]]:
    """Answers every class of the tree, the root first: the documentation is checked against it."""
    found: list[type[ServerError]] = []
    waiting = [ServerError]
    while waiting:
        error = waiting.pop(0)
        found.append(error)
        waiting.extend(error.__subclasses__())
    return found


def as_server_error(error: CrdtError | ServerError) -> ServerError:
    """Answers what an error means to the connection whose bytes caused it."""
    if isinstance(error, ServerError):
        return error
    if isinstance(error, FrameTooLarge):
        return TooLarge(str(error), code=error.code)
    return FrameRejected(str(error), code=error.code)
