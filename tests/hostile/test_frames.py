"""Frames that are no messages, too large, never finished, or not even WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

import pytest

from crdt.codec import encode, write_var_bytes, write_var_uint
from crdt.messages import Acknowledgement, Message, QueryAwareness, RoomEvent, SyncStep2, TokenRenewal, Update
from server.limits import MAX_FRAME_BYTES
from tests.hostile.memory import MIB, Memory
from tests.hostile.stage import Stage
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

MALFORMED = 4400
TOO_LARGE = 4413
PROTOCOL_ERROR = 1002  # RFC 6455 §7.4.1: what is below messages is not ours to number

BINARY_FINAL, BINARY_FIRST, CONTINUED, CONTINUED_FINAL = 0x82, 0x02, 0x00, 0x80
PING = 0x89
MASK = bytes(4)

# Reading a frame of the largest size takes its own size a few times over, briefly.
MOST_GROWTH = 64 * MIB


def frame(kind: int, payload: bytes = b"", *, claimed: int | None = None) -> bytes:
    """A masked WebSocket frame; the mask is zeros. `claimed` is the length it says it has."""
    length = len(payload) if claimed is None else claimed
    if length < 126:
        return bytes((kind, 0x80 | length)) + MASK + payload
    if length < 1 << 16:
        return bytes((kind, 0x80 | 126)) + length.to_bytes(2, "big") + MASK + payload
    return bytes((kind, 0x80 | 127)) + length.to_bytes(8, "big") + MASK + payload


NOT_MESSAGES: dict[str, bytes | str | Message] = {
    "text": "hello",
    "nothing": b"",
    "zeros": bytes(100),
    "unknown type": b"\x7f",
    "unknown sync type": b"\x00\x03\x00",
    "y-websocket's auth": b"\x02\x00\x02no",
    "half a length": b"\x00\x02\xff",
    "a length beyond the end": b"\x00\x02\x05\x00",
    "more than a message": encode(QueryAwareness()) + b"\x00",
    "too many messages": encode(QueryAwareness()) * 65,
    "an update without an end": encode(Update(b"\x01")),
    "a step 2 without an end": encode(SyncStep2(b"\x00")),
    "a length of 2^64": b"\x00\x02" + b"\xff" * 9 + b"\x01",
    "what only servers say: a count": Acknowledgement(1),
    "what only servers say: an event": RoomEvent("{}"),
}


@pytest.mark.parametrize("name", NOT_MESSAGES)
async def test_what_is_no_message_ends_the_connection(stage: Stage, name: str) -> None:
    async with stage.scene() as scene, stage.attacker(scene.prompt, stage.people.vera) as attacker:
        stored = await scene.stored()
        await attacker.send(NOT_MESSAGES[name])
        assert await attacker.close_code() == MALFORMED
        assert await scene.stored() == stored
        await scene.go_on()


async def test_who_did_not_offer_the_extension_cannot_renew(stage: Stage) -> None:
    async with stage.scene() as scene, stage.attacker(scene.prompt, subprotocols=()) as attacker:
        await attacker.send(TokenRenewal(stage.people.mallory.token))
        assert await attacker.close_code() == MALFORMED


async def test_random_bytes_end_the_connection_or_mean_nothing(stage: Stage, rng: Random) -> None:
    async with stage.scene() as scene:
        stored = await scene.stored()
        for _ in range(100):
            async with stage.attacker(scene.prompt) as attacker:
                await attacker.send(bytes((0, rng.randrange(3))) + rng.randbytes(rng.randint(0, 60)))
                assert await attacker.is_answered() or attacker.connection.close_code in {MALFORMED, 4409}
        assert await scene.stored() == stored
        await scene.go_on()


TOO_LARGE_FRAMES: dict[str, Callable[[], bytes]] = {
    "one byte too many": lambda: frame(BINARY_FINAL, b"\x00\x02" + bytes(MAX_FRAME_BYTES)),
    "claims 2^62 bytes": lambda: frame(BINARY_FINAL, claimed=1 << 62),
    "in many parts": lambda: frame(BINARY_FIRST, b"\x00\x02") + frame(CONTINUED, bytes(MIB)) * 8 + frame(CONTINUED),
    "in parts of nothing": lambda: frame(BINARY_FIRST, b"\x00\x02") + frame(CONTINUED) * 200_000,
    "in parts of a byte": lambda: frame(BINARY_FIRST, b"\x00\x02") + frame(CONTINUED, b"x") * 200_000,
}


@pytest.mark.parametrize("name", TOO_LARGE_FRAMES)
async def test_what_is_too_large_ends_the_connection_before_it_costs_much(stage: Stage, name: str) -> None:
    async with stage.scene() as scene, stage.attacker(scene.prompt) as attacker:
        memory = Memory(stage.server.pid)
        attacker.connection.transport.write(TOO_LARGE_FRAMES[name]())
        assert await attacker.close_code() == TOO_LARGE
        await scene.go_on()
        assert memory.growth < MOST_GROWTH


async def test_the_largest_frame_is_read_and_what_stands_in_it_judged(stage: Stage) -> None:
    async with stage.scene() as scene, stage.attacker(scene.prompt) as attacker:
        size = MAX_FRAME_BYTES - len(b"\x00\x02") - len(write_var_uint(MAX_FRAME_BYTES))
        await attacker.send(b"\x00\x02" + write_var_bytes(bytes(size)))
        assert await attacker.close_code() == MALFORMED
        await scene.go_on()


NOT_WEBSOCKET = {
    "unmasked": b"\x82\x01\x03",
    "reserved opcode": frame(0x83, b"x"),
    "reserved bits": frame(0xF2, b"x"),
    "a continuation of nothing": frame(CONTINUED_FINAL, b"x"),
    "a long ping": frame(PING, bytes(126)),
    "a ping in parts": frame(0x09, b"x"),
    "a close of one byte": frame(0x88, b"x"),
}


@pytest.mark.parametrize("name", NOT_WEBSOCKET)
async def test_what_is_not_websocket_ends_the_connection(stage: Stage, name: str) -> None:
    async with stage.scene() as scene, stage.attacker(scene.prompt) as attacker:
        attacker.connection.transport.write(NOT_WEBSOCKET[name])
        assert await attacker.close_code() == PROTOCOL_ERROR
        await scene.go_on()


async def test_frames_that_never_end_hold_up_nobody(stage: Stage) -> None:
    async with stage.scene() as scene:
        memory = Memory(stage.server.pid)
        async with asyncio.TaskGroup() as group:
            attackers = [stage.attacker(scene.prompt) for _ in range(20)]
            for attacker in attackers:
                group.create_task(attacker.__aenter__())
        for attacker in attackers:
            attacker.connection.transport.write(frame(BINARY_FINAL, bytes(1000), claimed=MAX_FRAME_BYTES))
        await scene.go_on()
        for attacker in attackers:
            await attacker.__aexit__(None, None, None)
        await scene.go_on()
        assert memory.growth < MOST_GROWTH


async def test_pings_of_one_who_reads_no_pongs_do_not_pile_up(stage: Stage) -> None:
    async with stage.scene() as scene, stage.attacker(scene.prompt) as attacker:
        memory = Memory(stage.server.pid)
        transport = attacker.connection.transport
        transport.pause_reading()
        pings = frame(PING, bytes(125)) * 8_000
        for _ in range(40):
            transport.write(pings)
            await wait_until(
                lambda: transport.get_write_buffer_size() < MIB or not attacker.is_open, what="it to be read"
            )
        transport.resume_reading()
        # The answer to a close frame comes behind all that was sent before it.
        await attacker.connection.close()
        await scene.go_on()
        assert memory.growth < len(pings) * 20
