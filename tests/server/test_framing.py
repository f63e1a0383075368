"""However the bytes of a connection are cut, the session gets the messages that the client sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import Any, cast

import pytest
import uvicorn
from uvicorn.server import ServerState
from websockets.frames import CloseCode, Frame, Opcode

from server.errors import ServerError
from server.framing import frame_bytes, read_messages
from server.limits import MAX_FRAME_BYTES
from server.session import Session
from server.wire import WIRE_EXTENSION, WireProtocol

REQUEST = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Listener:
    """A session that keeps what it gets."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.calls = 0
        self.error: ServerError | None = None

    def receive(self, *frames: bytes) -> None:
        self.calls += 1
        self.frames += frames

    def fail(self, error: ServerError) -> None:
        self.error = error


class Line:
    """A connection whose handshake is over, fed by hand."""

    def __init__(self, protocol: WireProtocol, writer: asyncio.StreamWriter) -> None:
        self.protocol = protocol
        self.listener = Listener()
        self.writer = writer

    def feed(self, data: bytes) -> None:
        self.protocol.data_received(data)


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    lines: asyncio.Queue[Line] = asyncio.Queue()

    async def app(scope: dict[str, Any], _receive: object, send: Any) -> None:  # noqa: ANN401 - ASGI's
        await send({"type": "websocket.accept"})
        opened = Line(scope["extensions"][WIRE_EXTENSION], writer)
        opened.protocol.attach(cast("Session", opened.listener), lambda: None)
        lines.put_nowait(opened)

    loop = asyncio.get_running_loop()
    config = uvicorn.Config(
        cast("Any", app), ws=WireProtocol, ws_max_size=MAX_FRAME_BYTES, ws_per_message_deflate=False
    )
    config.load()
    state = ServerState()
    server = await loop.create_server(lambda: WireProtocol(config, state, {}), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST)
    opened = await lines.get()
    yield opened
    opened.protocol.transport.abort()
    writer.close()
    server.close()


def sent(payload: bytes, opcode: Opcode = Opcode.BINARY, *, fin: bool = True) -> bytes:
    return Frame(opcode, payload, fin).serialize(mask=True)


def payload(random: Random) -> bytes:
    size = random.choice((1, 5, 30, 125, 126, 200, 65_535, 65_536, 70_000))
    return random.randbytes(size)


def conversation(random: Random) -> tuple[bytes, list[bytes]]:
    """Bytes with messages, some in parts, and pings between; and the messages."""
    stream, messages = b"", []
    for _ in range(random.randrange(1, 12)):
        message = payload(random)
        messages.append(message)
        if random.random() < 0.2:
            middle = random.randrange(len(message) + 1)
            stream += sent(message[:middle], fin=False)
            stream += sent(b"?", Opcode.PING) if random.random() < 0.5 else b""
            stream += sent(message[middle:], Opcode.CONT)
        else:
            stream += sent(message)
        stream += sent(b"!", Opcode.PONG) if random.random() < 0.2 else b""
    return stream, messages


async def test_the_messages_are_the_same_however_the_bytes_are_cut(line: Line, rng: Random) -> None:
    for _ in range(60):
        stream, messages = conversation(rng)
        cuts = sorted(rng.choices(range(len(stream)), k=rng.randrange(8)))
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            line.feed(stream[start:end])
        assert line.listener.frames == messages
        line.listener.frames.clear()


async def test_byte_by_byte_they_are_the_same_too(line: Line, rng: Random) -> None:
    stream = b"".join(sent(rng.randbytes(size)) for size in (1, 125, 126, 300))
    for index in range(len(stream)):
        line.feed(stream[index : index + 1])
    assert [len(frame) for frame in line.listener.frames] == [1, 125, 126, 300]


async def test_what_comes_together_is_handed_over_together(line: Line) -> None:
    line.feed(sent(b"a") * 100)
    assert (line.listener.calls, len(line.listener.frames)) == (1, 100)


async def test_a_message_in_the_middle_of_another_breaks_the_protocol(line: Line) -> None:
    line.feed(sent(b"half", fin=False) + sent(b"whole"))
    assert line.protocol.close_sent
    assert not line.listener.frames


@pytest.mark.parametrize("frame", [b"\x82\x01a", b"\xc2\x81....a", b"\x83\x81....a"], ids=["unmasked", "rsv", "opcode"])
async def test_what_no_client_may_send_breaks_the_protocol(line: Line, frame: bytes) -> None:
    line.feed(sent(b"before") + frame + sent(b"after"))
    assert line.listener.frames == [b"before"]
    assert line.protocol.conn.close_sent is not None
    assert line.protocol.conn.close_sent.code == CloseCode.PROTOCOL_ERROR


async def test_a_frame_that_is_too_large_is_refused_by_its_head(line: Line) -> None:
    head = b"\x82\xff" + (MAX_FRAME_BYTES + 1).to_bytes(8, "big")
    line.feed(sent(b"before") + head)
    line.feed(b"mask")
    assert line.listener.frames == [b"before"]
    assert line.listener.error is not None
    assert line.listener.error.code == "frame_too_large"


async def test_the_largest_frame_is_taken(line: Line) -> None:
    stream = sent(bytes(MAX_FRAME_BYTES))
    for start in range(0, len(stream), 256_000):
        line.feed(stream[start : start + 256_000])
    line.feed(sent(b"next"))
    assert [len(frame) for frame in line.listener.frames] == [MAX_FRAME_BYTES, 4]


def test_a_head_that_is_not_whole_says_nothing() -> None:
    whole = sent(bytes(70_000))
    assert [frame_bytes(whole[:size], 0) for size in (0, 1, 2, 9, 10)] == [None, None, None, None, len(whole)]
    assert read_messages(whole[:-1], 0) == ([], 0)
