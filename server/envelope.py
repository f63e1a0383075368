"""What nodes say to each other, and the seal on it.

Everything that a node says is sealed with a key that follows from JWT_SECRET_KEY, together with the channel it was said
on: whoever can write to Redis and does not hold the key can show nobody a text that is not stored, and deployments that
share a Redis do not hear each other.

    seal (16 bytes) · version (1) · kind (1) · node (16) · body

The seal is a BLAKE2b MAC (RFC 7693 §2.9) of the channel and of all that follows it. Numbers are varints.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Self
from uuid import UUID

from crdt.codec import read_var_uint, write_var_uint
from crdt.errors import FrameError
from server.access import Role

_VERSION: Final = 1
_SEAL_BYTES: Final = 16
_UUID_BYTES: Final = 16
_HEAD_BYTES: Final = _SEAL_BYTES + 2 + _UUID_BYTES


class EnvelopeInvalid(Exception):
    """Something on a channel of ours that no node with our key and version has said."""

    code = "envelope_invalid"


class NodeMessage:
    """What a node says; `body` is its content in bytes, and `read` takes it up again."""

    __slots__ = ()

    @property
    def body(self) -> bytes:
        """The content; nothing where the message says everything by itself."""
        return b""

    @classmethod
    def read(cls, body: bytes) -> Self:  # noqa: ARG003 - for those that have one
        """Reads the content. Raises FrameError, ValueError and TypeError where there is none."""
        return cls()


@dataclass(frozen=True, slots=True)
class Envelope(NodeMessage):
    """An update that is in the journal: what one flush committed, merged.

    `bindings` are the client ids that were bound to users with it.
    """

    epoch: int
    first_seq: int
    last_seq: int
    update: bytes
    bindings: tuple[tuple[int, UUID], ...] = ()

    @property
    def body(self) -> bytes:
        """Epoch, first and last seq, the update behind its length, and each client id with its user."""
        bound = [write_var_uint(client_id) + user_id.bytes for client_id, user_id in self.bindings]
        numbers = map(write_var_uint, (self.epoch, self.first_seq, self.last_seq, len(self.bindings)))
        return b"".join((*numbers, *bound, self.update))

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Reads the content."""
        offset, numbers = 0, []
        for _ in range(4):
            number, offset = read_var_uint(body, offset)
            numbers.append(number)
        bindings: list[tuple[int, UUID]] = []
        for _ in range(numbers.pop()):
            client_id, offset = read_var_uint(body, offset)
            bindings.append((client_id, UUID(bytes=body[offset : offset + _UUID_BYTES])))
            offset += _UUID_BYTES
        epoch, first_seq, last_seq = numbers
        return cls(epoch, first_seq, last_seq, body[offset:], tuple(bindings))


@dataclass(frozen=True, slots=True)
class HeadMoved(NodeMessage):
    """The journal reaches this far; what it holds is to be read there."""

    epoch: int
    seq: int

    @property
    def body(self) -> bytes:
        """Epoch and seq."""
        return write_var_uint(self.epoch) + write_var_uint(self.seq)

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Reads the content."""
        epoch, offset = read_var_uint(body, 0)
        return cls(epoch, read_var_uint(body, offset)[0])


@dataclass(frozen=True, slots=True)
class PresenceNews(NodeMessage):
    """Who is in the room on the node that says this, in the bytes of `server.presence_report`."""

    payload: bytes

    @property
    def body(self) -> bytes:
        """The payload."""
        return self.payload

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Reads the content."""
        return cls(body)


@dataclass(frozen=True, slots=True)
class Fingerprint(NodeMessage):
    """What the document is at a seq, as the digest of its canonical bytes."""

    seq: int
    digest: bytes

    @property
    def body(self) -> bytes:
        """The seq and the digest."""
        return write_var_uint(self.seq) + self.digest

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Reads the content."""
        seq, offset = read_var_uint(body, 0)
        return cls(seq, body[offset:])


@dataclass(frozen=True, slots=True)
class RelayedEvent(NodeMessage):
    """A room event for everybody in the room."""

    event: dict[str, object]

    @property
    def body(self) -> bytes:
        """JSON."""
        return json.dumps(self.event, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Reads the content."""
        return cls(dict(json.loads(body)))


class Heartbeat(NodeMessage):
    """The node is there."""


class Leaving(NodeMessage):
    """The node is going down; nobody is in its rooms any more."""


@dataclass(frozen=True, slots=True)
class RoleChanged(NodeMessage):
    """A membership has another role, or has ended where the role is None."""

    organization_id: UUID
    user_id: UUID
    role: Role | None

    @property
    def body(self) -> bytes:
        """Organization, user and role."""
        return self.organization_id.bytes + self.user_id.bytes + (self.role.value if self.role else "").encode()

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Reads the content."""
        organization_id, user_id, role = (
            body[:_UUID_BYTES],
            body[_UUID_BYTES : 2 * _UUID_BYTES],
            body[2 * _UUID_BYTES :],
        )
        return cls(UUID(bytes=organization_id), UUID(bytes=user_id), Role(role.decode()) if role else None)


@dataclass(frozen=True, slots=True)
class PromptDeleted(NodeMessage):
    """A prompt is gone."""

    prompt_id: UUID

    @property
    def body(self) -> bytes:
        """The prompt."""
        return self.prompt_id.bytes

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Reads the content."""
        return cls(UUID(bytes=body))


# The place of a message in this list is its kind: new ones go to the end.
KINDS: Final[tuple[type[NodeMessage], ...]] = (
    Envelope,
    HeadMoved,
    PresenceNews,
    Fingerprint,
    RelayedEvent,
    Heartbeat,
    Leaving,
    RoleChanged,
    PromptDeleted,
)


class Seal:
    """Seals what this node says, and opens what others said.

    Arguments: `secret` is the signing key that all nodes share; `node_id` is who speaks.
    """

    def __init__(self, secret: bytes, node_id: UUID) -> None:
        self._key = blake2b(secret, digest_size=32, person=b"promptroom nodes").digest()
        self._node = node_id.bytes

    def close(self, channel: str, message: NodeMessage) -> bytes:
        """Answers a message as it goes into a channel."""
        said = bytes((_VERSION, KINDS.index(type(message)))) + self._node + message.body
        return self._mac(channel, said) + said

    def is_own(self, payload: bytes) -> bool:
        """Whether this node has said it, or somebody who repeats what it says: nothing of either is news."""
        return payload[_SEAL_BYTES + 2 : _HEAD_BYTES] == self._node

    def open(self, channel: str, payload: bytes) -> tuple[UUID, NodeMessage]:
        """Answers which node said what. Raises EnvelopeInvalid."""
        if len(payload) < _HEAD_BYTES or payload[_SEAL_BYTES] != _VERSION:
            raise EnvelopeInvalid("another version, or nothing of ours")
        said = payload[_SEAL_BYTES:]
        if not hmac.compare_digest(self._mac(channel, said), payload[:_SEAL_BYTES]):
            raise EnvelopeInvalid("the seal is not ours: has every node the same JWT_SECRET_KEY?")
        try:
            message = KINDS[said[1]].read(payload[_HEAD_BYTES:])
        except (FrameError, ValueError, TypeError, IndexError) as error:
            raise EnvelopeInvalid(f"a message of kind {said[1]} that cannot be read") from error
        return UUID(bytes=said[2 : 2 + _UUID_BYTES]), message

    def _mac(self, channel: str, said: bytes) -> bytes:
        mac = blake2b(channel.encode() + b"\0", digest_size=_SEAL_BYTES, key=self._key)
        mac.update(said)
        return mac.digest()
