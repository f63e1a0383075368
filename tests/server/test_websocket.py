"""The socket edge over real sockets: our own uvicorn protocol, and the plain ASGI one that any server speaks."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from crdt.codec import decode_frame, encode
from crdt.diff import TextEdit
from crdt.messages import QueryAwareness, RoomEvent, SyncStep1, Update
from persistence.errors import StoreUnavailable
from server.app import create_app
from server.auth import Passwords
from server.limits import MAX_FRAME_BYTES
from server.services import Services
from server.settings import Settings
from server.wire import WireProtocol
from tests.server.living import SECRET, House
from tests.support.waiting import wait_until


class Reception:
    """A listening server over a house, and ways to knock."""

    def __init__(self, house: House, port: int) -> None:
        self.house = house
        self.port = port

    def url(self, *, prompt: object = None, query: str = "") -> str:
        """The address of a prompt's socket."""
        return f"ws://127.0.0.1:{self.port}/ws/{prompt or self.house.prompt_id}{query}"

    def token(self, name: str = "anna") -> str:
        """An access token of this person."""
        who = self.house.people[name]
        return self.house.authenticator.issue(who.user_id, who.organization_id, ttl=600)

    def knock(self, url: str | None = None, **headers: str) -> connect:
        """Connect as a program does."""
        token = headers.pop("token", None) or self.token()
        return connect(
            url or self.url(),
            additional_headers={"Authorization": f"Bearer {token}", **headers},
            subprotocols=[Subprotocol("promptroom.v1")],
            max_size=None,
        )


@asynccontextmanager
async def listening(house: House, protocol: object) -> AsyncIterator[Reception]:
    settings = replace(
        Settings.from_environment({"JWT_SECRET_KEY": SECRET.decode(), "DATABASE_URL": "sqlite+aiosqlite:///unused.db"}),
        drain_deadline=2.0,
    )
    services = Services(
        settings=settings,
        store=house.store,
        hub=house.hub,
        authenticator=house.authenticator,
        passwords=Passwords(),
        clock=house.wall_clock,
    )
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        create_app(services),
        ws=protocol,  # type: ignore[arg-type]
        ws_max_size=MAX_FRAME_BYTES,
        ws_per_message_deflate=False,
        log_config=None,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await wait_until(lambda: server.started, what="uvicorn to listen")
    try:
        yield Reception(house, listener.getsockname()[1])
    finally:
        server.should_exit = True
        await serving


@pytest.fixture(params=[WireProtocol, "websockets-sansio"], ids=["wire", "asgi"])
async def reception(request: pytest.FixtureRequest, house: House) -> AsyncIterator[Reception]:
    """A server under our protocol, then under the plain one."""
    async with listening(house, request.param) as reception:
        yield reception


async def close_code(connection: ClientConnection) -> int:
    """Read until the server closes, and answer the code."""
    async with asyncio.timeout(10):
        await connection.wait_closed()
    return connection.close_code or 0


async def events(connection: ClientConnection) -> list[str]:
    """Read until the first room event, and answer it."""
    async with asyncio.timeout(10):
        while True:
            frame = await connection.recv()
            assert isinstance(frame, bytes)
            found = [m.json for m in decode_frame(frame, max_bytes=1 << 30) if isinstance(m, RoomEvent)]
            if found:
                return found


async def test_a_program_is_let_in_by_its_header(reception: Reception) -> None:
    async with reception.knock() as connection:
        assert connection.subprotocol == "promptroom.v1"
        (event,) = await events(connection)
        assert '"room.joined"' in event
        assert '"role":"editor"' in event


async def test_a_browser_is_let_in_by_a_subprotocol_that_is_not_echoed(reception: Reception) -> None:
    offered = [Subprotocol("promptroom.v1"), Subprotocol(f"bearer.{reception.token()}")]
    async with connect(reception.url(), subprotocols=offered) as connection:
        assert connection.subprotocol == "promptroom.v1"
        assert connection.response is not None
        assert reception.token() not in str(connection.response.headers)
        await events(connection)


async def test_a_ticket_lets_in_once(reception: Reception) -> None:
    anna = reception.house.people["anna"]
    scope = {"expires_at": 4e9}
    ticket = await reception.house.store.tickets.issue("websocket", anna.user_id, anna.organization_id, 30, scope=scope)
    url = reception.url(query=f"?ticket={ticket}")
    async with connect(url) as connection:
        await connection.send(encode(QueryAwareness()))
        assert await connection.recv()
    async with connect(url) as connection:
        assert await close_code(connection) == 4401


async def test_whoever_may_not_come_in_is_told_why(reception: Reception) -> None:
    cases = {
        "no token": (connect(reception.url()), 4401),
        "a token in the URL": (connect(reception.url(query=f"?token={reception.token()}")), 4401),
        "a bad token": (reception.knock(token="nonsense"), 4401),
        "another origin": (reception.knock(Origin="https://elsewhere.example"), 4403),
        "no such prompt": (reception.knock(reception.url(prompt=uuid4())), 4404),
        "no prompt id": (reception.knock(reception.url(prompt="nonsense")), 4404),
        "another epoch": (reception.knock(reception.url(query="?epoch=2")), 4409),
    }
    for what, (knock, code) in cases.items():
        async with knock as connection:
            assert await close_code(connection) == code, what


async def test_what_belongs_to_others_is_as_if_it_were_not_there(reception: Reception) -> None:
    accounts = reception.house.store.accounts
    other, anna = await accounts.create_organization("Other"), reception.house.people["anna"]
    await accounts.add_membership(other.id, anna.user_id, "owner")
    token = reception.house.authenticator.issue(anna.user_id, other.id, ttl=600)
    reasons = []
    for prompt in (reception.house.prompt_id, uuid4()):
        async with reception.knock(reception.url(prompt=prompt), token=token) as connection:
            assert await close_code(connection) == 4404
            reasons.append(connection.close_reason)
    assert reasons[0] == reasons[1]


async def test_whoever_was_removed_is_refused_at_once_and_told_of_no_prompt(reception: Reception) -> None:
    async with reception.knock() as connection:
        await events(connection)
    anna = reception.house.people["anna"]
    ticket = await reception.house.authenticator.websocket_ticket(anna, ttl=30)
    await reception.house.store.accounts.remove_member(anna.organization_id, anna.user_id)
    for knock in (
        reception.knock(),
        reception.knock(reception.url(prompt=uuid4())),
        reception.knock(reception.url(prompt="nonsense")),
        reception.knock(reception.url(query="?epoch=2")),
        connect(reception.url(query=f"?ticket={ticket}")),
    ):
        async with knock as connection:
            assert await close_code(connection) == 4401


async def test_a_store_that_is_away_is_said_to_be(reception: Reception, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise StoreUnavailable("connection to secret-host refused")

    monkeypatch.setattr(reception.house.store.accounts, "standing", fail)
    async with reception.knock() as connection:
        assert await close_code(connection) == 1013
        assert "secret-host" not in (connection.close_reason or "")


async def test_two_see_each_other(reception: Reception) -> None:
    tab = await reception.house.open("ben")
    async with reception.knock() as connection:
        await events(connection)
        tab.type(", over the wire")
        await tab.saved()
        await connection.send(encode(SyncStep1(b"\x00")))
        seen = b""
        async with asyncio.timeout(10):
            while b", over the wire" not in seen:
                frame = await connection.recv()
                assert isinstance(frame, bytes)
                seen = frame
        ben = tab.peer.document
        update = ben.edit([TextEdit(0, 0, ">")])
        # The socket is anna's and the client id ben's.
        await connection.send(encode(Update(update)))
        assert await close_code(connection) == 4409


async def test_text_frames_and_oversized_frames_end_the_connection(reception: Reception) -> None:
    async with reception.knock() as connection:
        await events(connection)
        await connection.send("text")
        assert await close_code(connection) == 4400


async def test_a_heavy_update_arrives_whole(reception: Reception) -> None:
    ben = await reception.house.open("ben")
    big = "x" * 600_000
    ben.type(big)
    await ben.saved()
    async with reception.knock() as connection:
        await connection.send(encode(SyncStep1(b"\x00")))
        async with asyncio.timeout(10):
            while True:
                frame = await connection.recv()
                if len(frame) > len(big):
                    break


async def test_a_reader_that_stalls_is_brought_up_to_date_by_a_diff(reception: Reception) -> None:
    """More than the bound is written while nobody reads; then the reader drains and asks for nothing."""
    ben = await reception.house.open("ben")
    async with reception.knock() as connection:
        connection.transport.pause_reading()
        for _ in range(12):
            ben.type("x" * 200_000)
            await ben.saved()
            ben.peer.edit([TextEdit(5, 200_005, "")])
            ben.send(*ben.peer.data_to_send())
            await ben.saved()
        connection.transport.resume_reading()
        ben.type("the end")
        await ben.saved()
        async with asyncio.timeout(10):
            while b"the end" not in await connection.recv():
                pass


async def test_a_connection_that_ends_is_forgotten(reception: Reception) -> None:
    async with reception.knock() as connection:
        await events(connection)
        assert reception.house.hub.connections == 1
    await wait_until(lambda: reception.house.hub.connections == 0, what="the session to be forgotten")
    live = await reception.house.hub.live(reception.house.prompt_id)
    assert live.participants == ()
