"""Requests without an end, from peers that nobody knows."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Self

import pytest
import uvicorn
from starlette.applications import Starlette

from server import http_protocol
from server.http_protocol import HttpProtocol
from server.limits import MAX_HEAD_BYTES
from tests.hostile.memory import MIB, Memory
from tests.hostile.stage import Stage
from tests.support.waiting import DEADLINE_SECONDS, wait_until

LINE = b"GET / HTTP/1.1\r\nHost: x\r\n"
COMPLETE = LINE + b"\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"


class Caller:
    """A raw connection to an HTTP server."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.transport.abort()

    async def is_hung_up_on(self) -> bool:
        """Read whatever comes until the connection ends."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            with suppress(ConnectionResetError):
                while await self.reader.read(65536):
                    pass
        return True

    async def send_forever(self, piece: bytes) -> None:
        """Send until the connection ends."""
        with suppress(ConnectionResetError, BrokenPipeError):
            while not self.writer.is_closing():
                self.writer.write(piece)
                await self.writer.drain()


@pytest.mark.slow
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("beginning", [b"GET /", LINE + b"X-Endless: ", LINE], ids=["path", "header", "headers"])
async def test_a_head_without_an_end_costs_little(stage: Stage, beginning: bytes) -> None:
    piece = b"X-Another: one\r\n" * 1_000 if beginning is LINE else b"x" * 16_000
    async with stage.scene() as scene, Caller(stage.server.port) as caller:
        memory = Memory(stage.server.pid)
        caller.writer.write(beginning)
        async with asyncio.timeout(DEADLINE_SECONDS):
            await caller.send_forever(piece)
        await scene.go_on()
        assert memory.growth < 16 * MIB


@pytest.mark.slow
@pytest.mark.asyncio(loop_scope="module")
async def test_half_requests_hold_up_nobody(stage: Stage) -> None:
    async with stage.scene() as scene, AsyncExitStack() as stack:
        memory = Memory(stage.server.pid)
        for _ in range(300):
            caller = await stack.enter_async_context(Caller(stage.server.port))
            caller.writer.write(LINE)
        await scene.go_on()
        assert memory.growth < 16 * MIB


@asynccontextmanager
async def listening() -> AsyncIterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(Starlette(), http=HttpProtocol, log_config=None, lifespan="off", timeout_keep_alive=3600)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await wait_until(lambda: server.started, what="uvicorn to listen")
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await serving


@pytest.mark.parametrize("half", [b"", LINE, POST, COMPLETE + LINE], ids=["nothing", "head", "body", "second request"])
async def test_a_request_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, half: bytes) -> None:
    monkeypatch.setattr(http_protocol, "REQUEST_SECONDS", 0.05)
    async with listening() as port, Caller(port) as caller:
        caller.writer.write(half)
        assert await caller.is_hung_up_on()


async def test_who_has_sent_a_whole_request_may_take_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "REQUEST_SECONDS", 0.5)
    async with listening() as port, Caller(port) as patient, Caller(port) as late:
        patient.writer.write(COMPLETE)
        assert (await patient.reader.readline()).startswith(b"HTTP/1.1 404")
        # By the time the other one is hung up on, the first would have been too.
        assert await late.is_hung_up_on()
        patient.writer.write(COMPLETE)
        await patient.reader.readuntil(b"HTTP/1.1 404")


async def test_a_head_of_a_usual_size_is_read_in_pieces() -> None:
    async with listening() as port, Caller(port) as caller:
        caller.writer.write(LINE)
        for number in range(30):
            caller.writer.write(b"X-%d: " % number + b"x" * (MAX_HEAD_BYTES // 40) + b"\r\n")
            await caller.writer.drain()
        caller.writer.write(b"\r\n")
        assert (await caller.reader.readline()).startswith(b"HTTP/1.1 404")
