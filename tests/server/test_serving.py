"""`promptroom serve` as a process of its own: its start, its link, its end, and what its log never holds."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from uuid import UUID, uuid4

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from crdt.client_peer import ClientPeer
from crdt.codec import encode
from crdt.diff import TextEdit
from crdt.messages import TokenRenewal
from server.first_prompt import CONTENT, NAME
from tests.conftest import StartServer
from tests.support.server import ServerProcess
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow


async def call(
    server: ServerProcess, method: str, path: str, *, token: str | None = None, body: object = None
) -> httpx2.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(base_url=server.base_url) as client:
        return await client.request(method, path, json=body, headers=headers)


async def first_prompt(server: ServerProcess, token: str) -> UUID:
    (prompt,) = (await call(server, "GET", "/api/v1/prompts", token=token)).json()["items"]
    assert prompt["name"] == NAME
    return UUID(prompt["id"])


async def refused(server: ServerProcess, *arguments: str, **environment: str) -> tuple[int, str]:
    """Run a server that should not start; answer its exit code and the last thing that it said."""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "server", "serve", *arguments],
        cwd=server.state_directory,
        env=server.environment | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.returncode, done.stderr.strip().splitlines()[-1]


async def test_the_first_start_brings_a_link_and_a_prompt_worth_editing(start_server: StartServer) -> None:
    server = await start_server()
    link, _, ticket = (await server.sign_in_link()).partition("#ticket=")
    assert link == f"{server.base_url}/signin"
    signed_in = await call(server, "POST", "/api/v1/auth/login", body={"ticket": ticket})
    assert (signed_in.json()["user"]["name"], signed_in.json()["role"]) == ("Owner", "owner")
    token = signed_in.json()["access_token"]
    prompt_id = await first_prompt(server, token)
    live = (await call(server, "GET", f"/api/v1/prompts/{prompt_id}/live", token=token)).json()
    assert live["content"] == CONTENT

    await server.restart()
    assert await first_prompt(server, token) == prompt_id, "the key, the prompt and the owner are the same"
    again = (await server.sign_in_link()).partition("#ticket=")[2]
    assert again != ticket
    assert (await call(server, "POST", "/api/v1/auth/login", body={"ticket": again})).status_code == 200
    assert (await call(server, "POST", "/api/v1/auth/login", body={"ticket": ticket})).status_code == 401


async def test_the_first_prompt_that_was_deleted_does_not_come_back(start_server: StartServer) -> None:
    server = await start_server()
    token = await server.token("ada@example.org")
    prompt_id = await first_prompt(server, token)
    assert (await call(server, "DELETE", f"/api/v1/prompts/{prompt_id}", token=token)).status_code == 204
    await server.restart()
    assert (await call(server, "GET", "/api/v1/prompts", token=token)).json()["items"] == []


async def test_commands_work_beside_the_running_server(start_server: StartServer) -> None:
    server = await start_server()
    token = await server.token("ada@example.org", role="viewer")
    me = (await call(server, "GET", "/api/v1/me", token=token)).json()
    assert (me["user"]["name"], me["user"]["email"], me["role"]) == ("ada", "ada@example.org", "viewer")
    ticket = (await server.command("link", "--email", "ada@example.org")).partition("#ticket=")[2]
    signed_in = await call(server, "POST", "/api/v1/auth/login", body={"ticket": ticket})
    assert signed_in.json()["user"] == me["user"]
    assert "sound" in await server.command("fsck")
    assert "newest schema" in await server.command("migrate")


async def test_a_database_belongs_to_one_server(start_server: StartServer) -> None:
    server = await start_server()
    code, line = await refused(server, "--port", "0")
    assert code == 1
    assert line.startswith("promptroom: ")
    assert "in use" in line
    assert (await call(server, "GET", "/readyz")).status_code == 200


async def test_a_port_that_is_taken_is_one_line(start_server: StartServer, tmp_path: Path) -> None:
    server = await start_server()
    other = ServerProcess(tmp_path / "other")
    other.state_directory.mkdir()
    code, line = await refused(other, "--port", str(server.port))
    assert code == 1
    assert line.startswith(f"promptroom: cannot listen on 127.0.0.1 port {server.port}: ")
    assert not (other.state_directory / "promptroom.db").exists(), "nothing is touched before the port is ours"


@pytest.mark.parametrize(
    ("variable", "value", "code"),
    [
        ("PORT", "eight thousand", 2),
        ("JWT_SECRET_KEY", "hunter2", 2),
        ("DATABASE_URL", "mysql://u:hunter2@h/d", 2),
        ("DATABASE_URL", "postgresql://u:hunter2@127.0.0.1:1/d", 1),
        ("DATABASE_URL", "sqlite:////proc/nothing/here.db", 1),
        ("HOST", "no-such-host.invalid", 2),
    ],
)
async def test_a_start_that_fails_is_one_line_without_the_secret(
    tmp_path: Path, variable: str, value: str, code: int
) -> None:
    server = ServerProcess(tmp_path)
    found, line = await refused(server, **{"PORT": "0", variable: value})
    assert found == code
    assert line.startswith("promptroom: ")
    assert "hunter2" not in line


async def test_postgresql_is_migrated_by_its_own_command(postgres_url: str, tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "server", database_url=postgres_url)
    server.state_directory.mkdir()
    code, line = await refused(server)
    assert code == 1
    assert "run promptroom migrate" in line
    await server.command("migrate")
    async with server:
        token = await server.token("ada@example.org")
        await first_prompt(server, token)
        assert "sound" in await server.command("fsck")
        code, line = await refused(server, "--port", "0")
        assert code == 1
        assert "another server uses" in line


async def joined(server: ServerProcess, prompt_id: UUID, token: str) -> tuple[ClientConnection, ClientPeer]:
    socket_ = await connect(
        f"{server.websocket_url}/{prompt_id}",
        subprotocols=[Subprotocol("promptroom.v1")],
        additional_headers={"Authorization": f"Bearer {token}"},
    )
    peer = ClientPeer()
    for frame in peer.open():
        await socket_.send(frame)
    while not peer.synced:
        peer.receive(await frame_of(socket_))
        for frame in peer.data_to_send():
            await socket_.send(frame)
    return socket_, peer


async def read_to_the_end(socket_: ClientConnection) -> None:
    while True:
        await socket_.recv()


async def frame_of(socket_: ClientConnection) -> bytes:
    frame = await socket_.recv()
    assert isinstance(frame, bytes)
    return frame


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_drains_stores_and_sends_everybody_away(start_server: StartServer, by: signal.Signals) -> None:
    server = await start_server()
    token = await server.token("ada@example.org")
    prompt_id = await first_prompt(server, token)
    socket_, peer = await joined(server, prompt_id, token)
    peer.edit([TextEdit(0, 0, "the last word ")])
    for frame in peer.data_to_send():
        await socket_.send(frame)
    while not peer.saved:
        peer.receive(await frame_of(socket_))
    os.kill(server.pid, by)
    with pytest.raises(ConnectionClosed) as closed:
        await read_to_the_end(socket_)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    assert 0 <= float(closed.value.rcvd.reason) <= 10
    await wait_until(lambda: not server.running, what="the server to end")
    assert await server.terminate() == 0
    assert "Traceback" not in server.log

    await server.start()
    live = (await call(server, "GET", f"/api/v1/prompts/{prompt_id}/live", token=token)).json()
    assert live["content"] == f"the last word {CONTENT}"


async def test_a_server_that_is_stopped_at_once_ends_as_cleanly(start_server: StartServer) -> None:
    server = await start_server()
    assert await server.terminate() == 0
    assert "Traceback" not in server.log


async def test_no_token_and_no_ticket_reaches_the_log(start_server: StartServer) -> None:
    server = await start_server()
    good = await server.token("ada@example.org")
    bad = good[:-6] + "AAAAAA"
    prompt_id = await first_prompt(server, good)
    tickets = [(await server.command("link")).partition("#ticket=")[2] for _ in range(2)]
    for ticket in tickets:
        for path in (f"/?{ticket}", f"/ws/{prompt_id}?ticket={ticket}", f"/api/v1/me?access_token={ticket}"):
            await call(server, "GET", path)
        await call(server, "GET", f"/api/v1/prompts/{ticket}", token=good)
        await call(server, "GET", f"/{ticket}")
    await call(server, "POST", "/api/v1/auth/login", body={"ticket": tickets[0]})
    await call(server, "POST", "/api/v1/auth/login", body={"ticket": {"ticket": tickets[1]}})
    for token in (good, bad):
        await http_with_everywhere(server, token, prompt_id)
        await sockets_with_everywhere(server, token, prompt_id)
    websocket_ticket = (await call(server, "POST", "/api/v1/auth/tickets", token=good)).json()["ticket"]
    async with connect(f"{server.websocket_url}/{prompt_id}?ticket={websocket_ticket}") as socket_:
        await socket_.recv()
    refresh = await refresh_cookie(server)
    assert await server.terminate() == 0
    for secret in (*tickets, websocket_ticket, refresh, good, bad, *good.split(".")[1:], bad.split(".")[2]):
        assert secret not in server.log
    assert f"prompt_id={prompt_id}" in server.log


async def refresh_cookie(server: ServerProcess) -> str:
    ticket = (await server.command("link")).partition("#ticket=")[2]
    async with httpx2.AsyncClient(base_url=server.base_url) as client:
        await client.post("/api/v1/auth/login", json={"ticket": ticket})
        await client.post("/api/v1/auth/refresh")
        cookie = str(client.cookies["promptroom_refresh"])
        await client.get(f"/api/v1/auth/refresh?{cookie}", headers={"Cookie": f"promptroom_refresh={cookie}x"})
    return cookie


async def http_with_everywhere(server: ServerProcess, token: str, prompt_id: UUID) -> None:
    headers = {
        "Authorization": f"Bearer {token}",
        "Cookie": f"promptroom_refresh={token}; other={token}",
        "User-Agent": token,
        "Origin": f"https://{token[:20]}.example",
        "Idempotency-Key": token[:200],
        "If-Match": f'"{token}"',
        "Referer": f"http://h/?{token}",
    }
    async with httpx2.AsyncClient(base_url=server.base_url, headers=headers) as client:
        for path in (
            f"/api/v1/prompts?q={token}&cursor={token}",
            f"/api/v1/{token}",
            f"/{token}?{token}",
            "/api/v1/me",
        ):
            for method in ("GET", "POST", "PATCH"):
                await client.request(method, path, json={"name": token, token: token})
        await client.patch(f"/api/v1/prompts/{prompt_id}", content=f'{{"{token}')
        await client.post("/api/v1/auth/refresh")


async def sockets_with_everywhere(server: ServerProcess, token: str, prompt_id: UUID) -> None:
    base = server.websocket_url
    for url, headers, protocols in (
        (f"{base}/{prompt_id}", {"Authorization": f"Bearer {token}"}, ["promptroom.v1"]),
        (f"{base}/{prompt_id}", {}, ["promptroom.v1", f"bearer.{token}"]),
        (f"{base}/{prompt_id}?token={token}&ticket={token}", {}, []),
        (f"{base}/{token}", {"Authorization": f"Bearer {token}"}, []),
        (f"{base}/{prompt_id}", {"Authorization": f"Bearer {token}", "Origin": f"https://{token[:20]}.example"}, []),
        (f"{base}/{uuid4()}?{token}", {"Authorization": f"Bearer {token}", "Cookie": token}, []),
    ):
        try:
            async with connect(
                url, additional_headers=headers, subprotocols=[Subprotocol(each) for each in protocols] or None
            ) as socket_:
                await socket_.send(encode(TokenRenewal(token)))
                await socket_.send(b"\x0a" + token.encode())
                await socket_.recv()
        except (ConnectionClosed, InvalidStatus):
            continue
