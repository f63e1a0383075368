"""What one connection still has to be sent, and when it has to wait.

States
    open      whatever is sent is written to the socket at once.
    lagging   more than the bound waits in the socket's buffer: updates, presence and acknowledgements are withheld,
              nothing is queued for them, and the state vector that the reader has reached is remembered. When the
              buffer has drained the reader gets one diff from there, its presence, and its acknowledgement: open.
    closed    nothing is written any more.

A reader is thus never dropped from silently and never buffered without bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from crdt.codec import encode

if TYPE_CHECKING:
    from crdt.messages import Message

_MAX_REASON_BYTES = 123  # RFC 6455 §5.5: a control frame carries 125 bytes, two of them the code
_BINARY_FINAL = 0x82
_LENGTH_16 = 126
_LENGTH_64 = 127


class Frame:
    """One message, encoded once for every socket that gets it.

    `payload` is the y-protocols message; `wire` the same inside an unmasked WebSocket frame (RFC 6455 §5.2), for
    sockets that take ready-made bytes.
    """

    __slots__ = ("payload", "wire")

    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        size = len(payload)
        if size < _LENGTH_16:
            header = bytes((_BINARY_FINAL, size))
        elif size < 1 << 16:
            header = bytes((_BINARY_FINAL, _LENGTH_16)) + size.to_bytes(2, "big")
        else:
            header = bytes((_BINARY_FINAL, _LENGTH_64)) + size.to_bytes(8, "big")
        self.wire = header + payload

    @classmethod
    def of(cls, message: Message) -> Frame:
        """Encodes a message."""
        return cls(encode(message))


# A presence update about nobody: every y-protocols client takes it, and none does anything with it.
KEEPALIVE = Frame(b"\x01\x01\x00")


class Sink(Protocol):
    """The socket as an outbox sees it."""

    def write(self, frame: Frame) -> None:
        """Writes, or buffers what the socket does not take at once."""

    @property
    def buffered_bytes(self) -> int:
        """How much the reader has not taken yet."""

    def close(self, code: int, reason: str) -> None:
        """Starts the closing handshake; at most the first call counts."""

    def ping(self) -> bool:
        """Asks the other end for a sign of life; answers False where none came since the last time."""

    def pause_reading(self) -> None:
        """Takes no more from the socket until `resume_reading`."""

    def resume_reading(self) -> None:
        """Takes from the socket again."""


class Outbox:
    """The sending half of a session.

    Arguments: `sink` is the socket. The owner of the socket calls `congested` and `drained` when its buffer passes the
    bound and when it is empty again.
    """

    __slots__ = ("_buffered", "_moved_at", "_sink", "closed", "lagging_since", "sent_at", "state_reached")

    def __init__(self, sink: Sink, now: float) -> None:
        self._sink = sink
        self.closed = False
        self.sent_at = now
        self.lagging_since: float | None = None
        self.state_reached = b""
        self._moved_at = now
        self._buffered = 0

    @property
    def is_open(self) -> bool:
        """Whether the reader keeps up."""
        return self.lagging_since is None and not self.closed

    def send(self, frame: Frame, now: float) -> None:
        """Writes a frame; a closed outbox ignores it. Callers ask `is_open` first for all that a diff makes up for."""
        if not self.closed:
            self.sent_at = now
            self._sink.write(frame)

    def congested(self, state_reached: bytes, now: float) -> None:
        """The socket holds more than its bound; `state_reached` is the encoded state vector of all that was written."""
        if self.lagging_since is None:
            self.lagging_since = self._moved_at = now
            self.state_reached = state_reached
            self._buffered = self._sink.buffered_bytes

    def is_stuck(self, now: float, patience_seconds: float) -> bool:
        """Whether a lagging reader has taken nothing for that long. Asked every now and then."""
        if self.lagging_since is None:
            return False
        buffered = self._sink.buffered_bytes
        if buffered < self._buffered:
            self._moved_at = now
        self._buffered = buffered
        return now - self._moved_at > patience_seconds

    def drained(self) -> bytes | None:
        """The socket is empty again: answers the state vector to send a diff from, or None where none was withheld."""
        if self.lagging_since is None:
            return None
        self.lagging_since = None
        return self.state_reached

    def close(self, code: int, reason: str) -> None:
        """Closes the socket with a code and a reason, cut where it is long; what is written later is ignored."""
        if not self.closed:
            self.closed = True
            self._sink.close(code, reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore"))
