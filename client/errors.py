"""What can go wrong for a client.

::

    ClientError
    ├── PromptClosed       the server ended the connection for good; ``code`` is its close code
    ├── ReadOnly           one's role may read the prompt and not change it
    ├── EditsNotSaved      leaving with edits that the server has not acknowledged
    └── RequestFailed      a request to read a prompt; has a stable ``code``
        ├── PromptNotFound       no such prompt, version or label
        ├── PromptAmbiguous      several prompts have the name
        ├── AccessDenied         the token does not hold, or does not allow it
        ├── RequestRefused       the server did not take the request for another reason
        ├── ServerAway           no answer, or one that says to come back later
        └── ClientClosed         one's own end

To a prompt that is open, whatever passes by itself (a server that restarts, a network that is away) is no
error: the client connects again and keeps the edits until then.
"""

from __future__ import annotations


class ClientError(Exception):
    """The root of the tree."""


class PromptClosed(ClientError):
    """The server ended the connection and would end the next one too.

    Args:
        code: the WebSocket close code, such as 4401 (not authenticated), 4403 (not allowed), 4404 (no such
            prompt) or 4409 (reload).
        reason: what the server says about it.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code = code
        self.reason = reason


class ReadOnly(ClientError):
    """One's role may read the prompt and not change it."""


class EditsNotSaved(ClientError):
    """Edits were left behind that the server has not acknowledged.

    Args:
        edits: how many.
    """

    def __init__(self, edits: int) -> None:
        super().__init__(f"{edits} edits are not known to be saved")
        self.edits = edits


class RequestFailed(ClientError):
    """A prompt could not be read.

    Args:
        message: what went wrong, for a person.
        code: the server's (see the operations manual), or the class's own where no answer came.
    """

    code = "request_failed"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code or self.code


class PromptNotFound(RequestFailed):
    """No such prompt, version or label among those that the token may see."""

    code = "prompt_not_found"


class PromptAmbiguous(RequestFailed):
    """Several prompts have the name: ask by id."""

    code = "prompt_ambiguous"


class AccessDenied(RequestFailed):
    """The token does not hold, or its bearer may not read this."""

    code = "access_denied"


class RequestRefused(RequestFailed):
    """The answer was neither a prompt nor any of the other errors."""

    code = "request_refused"


class ServerAway(RequestFailed):
    """No answer, or one that says to come back later."""

    code = "server_away"


class ClientClosed(RequestFailed):
    """The client was closed before an answer came."""

    code = "client_closed"
