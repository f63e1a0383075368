"""What can go wrong for a client.

::

    ClientError
    ├── PromptClosed       the server ended the connection for good; ``code`` is its close code
    ├── ReadOnly           one's role may read the prompt and not change it
    └── EditsNotSaved      leaving with edits that the server has not acknowledged

Whatever passes by itself (a server that restarts, a network that is away) is no error: the client
connects again and keeps the edits until then.
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
