"""What nodes say survives the way; what nobody of ours has said does not."""

import random
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.access import Role
from server.envelope import (
    KINDS,
    Envelope,
    EnvelopeInvalid,
    Fingerprint,
    HeadMoved,
    Heartbeat,
    Leaving,
    NodeMessage,
    PresenceNews,
    PromptDeleted,
    RelayedEvent,
    RoleChanged,
    Seal,
)

SECRET = b"a secret of at least thirty-two bytes"
NODE, USER = uuid4(), uuid4()
CHANNEL = "prompt:somewhere"

MESSAGES: list[NodeMessage] = [
    Envelope(1, 5, 9, b"update"),
    Envelope(2, 1, 2**40, b"", ((2**32, USER), (7, NODE))),
    HeadMoved(3, 2**40),
    PresenceNews(b"\x00\xff"),
    Fingerprint(9, b"d" * 16),
    RelayedEvent({"type": "prompt.updated", "name": "Grüße 😀"}),
    Heartbeat(),
    Leaving(),
    RoleChanged(NODE, USER, Role.VIEWER),
    RoleChanged(NODE, USER, None),
    PromptDeleted(USER),
]


@pytest.fixture
def seal() -> Seal:
    return Seal(SECRET, NODE)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_what_is_said_is_heard(seal: Seal, message: NodeMessage) -> None:
    node_id, heard = Seal(SECRET, uuid4()).open(CHANNEL, seal.close(CHANNEL, message))
    assert node_id == NODE
    assert type(heard) is type(message)
    assert heard.body == message.body
    if not isinstance(message, (Heartbeat, Leaving)):
        assert heard == message


def test_every_kind_is_tried() -> None:
    assert {type(message) for message in MESSAGES} == set(KINDS)


def test_a_node_knows_its_own_words(seal: Seal) -> None:
    said = seal.close(CHANNEL, Heartbeat())
    assert seal.is_own(said)
    assert not Seal(SECRET, uuid4()).is_own(said)


def test_another_key_another_channel_and_another_version_are_refused(seal: Seal) -> None:
    said = seal.close(CHANNEL, HeadMoved(1, 2))
    for stranger, channel, payload in (
        (Seal(b"another secret of thirty-two bytes!!", NODE), CHANNEL, said),
        (seal, "prompt:elsewhere", said),
        (seal, CHANNEL, said[:16] + b"\x02" + said[17:]),
    ):
        with pytest.raises(EnvelopeInvalid):
            stranger.open(channel, payload)


def test_no_bit_of_what_was_said_can_be_changed(seal: Seal, rng: random.Random) -> None:
    said = seal.close(CHANNEL, MESSAGES[1])
    for _ in range(200):
        changed = bytearray(said)
        changed[rng.randrange(len(said))] ^= 1 << rng.randrange(8)
        with pytest.raises(EnvelopeInvalid):
            seal.open(CHANNEL, bytes(changed))


@given(st.binary(max_size=80))
def test_anything_else_is_refused(payload: bytes) -> None:
    with pytest.raises(EnvelopeInvalid):
        Seal(SECRET, NODE).open(CHANNEL, payload)


@given(kind=st.integers(0, 255), body=st.binary(max_size=60))
def test_what_a_newer_node_may_say_is_read_or_refused(kind: int, body: bytes) -> None:
    """A node with the key and another idea of a body does not end the one that hears it."""
    seal = Seal(SECRET, NODE)
    said = b"\x01" + bytes((kind,)) + NODE.bytes + body
    payload = seal._mac(CHANNEL, said) + said  # noqa: SLF001 - what only a holder of the key can make
    try:
        _, heard = seal.open(CHANNEL, payload)
    except EnvelopeInvalid:
        return
    assert isinstance(heard, NodeMessage)


def test_a_node_that_is_nobody_has_an_id_too() -> None:
    assert Seal(SECRET, NODE).open(CHANNEL, Seal(SECRET, UUID(int=0)).close(CHANNEL, Leaving()))[0] == UUID(int=0)
