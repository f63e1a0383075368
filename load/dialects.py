"""The two ways in which servers of Yjs documents are spoken to over a WebSocket.

Both carry the same y-protocols messages. That of y-websocket has the document in the URL and nothing around the
messages. That of Hocuspocus has the document's name in front of every message, asks for a token in a message, and
says of every update it has taken that it is "saved" (SyncStatus), which it says from memory.

Source: y-websocket `bin/utils.cjs`; @hocuspocus/server 4.7 `MessageReceiver.ts`, `ClientConnection.ts`, `types.ts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from crdt.codec import decode_frame, read_var_uint, write_var_string
from crdt.messages import Message

MAX_FRAME_BYTES: Final = 64 * 1024 * 1024

_AUTH: Final = b"\x02"
_TOKEN: Final = b"\x00"
# The client's side of the handshake names the version of the provider; the server only hands it to its hooks.
_PROVIDER: Final = "4.7.0"
_SYNC: Final = b"\x00"
_SYNC_OF_HOCUSPOCUS: Final = frozenset({0, 4})
_AWARENESS: Final = 1
_SYNC_STATUS: Final = 8


@dataclass(frozen=True, slots=True)
class Saved:
    """The server says that it has one more of this connection's messages."""


Heard = Message | Saved


class Dialect(Protocol):
    """How a server is spoken to."""

    @property
    def acknowledges(self) -> bool:
        """Whether the server says which edits it holds for saved."""

    def headers(self, token: str) -> Sequence[str]:
        """The lines that the upgrade request has besides those of every WebSocket.

        Args:
            token: what opens the document.
        """

    def prefix(self, document: str) -> bytes:
        """What stands in front of every message, in both directions."""

    def greeting(self, document: str, token: str) -> Sequence[bytes]:
        """The messages that a client begins with, before it asks for the document."""

    def decode(self, frame: bytes, prefix: bytes) -> Sequence[Heard]:
        """Read a frame that begins with the prefix; what a client need not know of is left out.

        Raises:
            FrameError: The frame is not of this dialect.
        """


@dataclass(frozen=True, slots=True)
class YWebsocket:
    """The dialect of y-websocket.

    Args:
        acknowledges: whether our own extensions are asked for, and the token is sent in the head of the request.
    """

    acknowledges: bool = False

    def headers(self, token: str) -> Sequence[str]:
        """A bearer token and our subprotocol, or nothing."""
        if not self.acknowledges:
            return ()
        return ("Sec-WebSocket-Protocol: promptroom.v1", f"Authorization: Bearer {token}")

    def prefix(self, document: str) -> bytes:  # noqa: ARG002 - the document stands in the URL
        """Nothing."""
        return b""

    def greeting(self, document: str, token: str) -> Sequence[bytes]:  # noqa: ARG002 - both stand in the request
        """Nothing."""
        return ()

    def decode(self, frame: bytes, prefix: bytes) -> Sequence[Heard]:  # noqa: ARG002 - there is none
        """Read a frame."""
        return decode_frame(frame, max_bytes=MAX_FRAME_BYTES)


@dataclass(frozen=True, slots=True)
class Hocuspocus:
    """The dialect of Hocuspocus 4."""

    acknowledges: bool = True

    def headers(self, token: str) -> Sequence[str]:  # noqa: ARG002 - it stands in the greeting
        """Nothing."""
        return ()

    def prefix(self, document: str) -> bytes:
        """The name of the document."""
        return write_var_string(document)

    def greeting(self, document: str, token: str) -> Sequence[bytes]:
        """The token."""
        return (self.prefix(document) + _AUTH + _TOKEN + write_var_string(token) + write_var_string(_PROVIDER),)

    def decode(self, frame: bytes, prefix: bytes) -> Sequence[Heard]:
        """Read a frame."""
        kind, offset = read_var_uint(frame, len(prefix))
        if kind in _SYNC_OF_HOCUSPOCUS:
            return decode_frame(_SYNC + frame[offset:], max_bytes=MAX_FRAME_BYTES)
        if kind == _AWARENESS:
            return decode_frame(frame[len(prefix) :], max_bytes=MAX_FRAME_BYTES)
        if kind == _SYNC_STATUS and read_var_uint(frame, offset)[0]:
            return (Saved(),)
        return ()


PROMPTROOM: Final[Dialect] = YWebsocket(acknowledges=True)
Y_WEBSOCKET: Final[Dialect] = YWebsocket()
HOCUSPOCUS: Final[Dialect] = Hocuspocus()
