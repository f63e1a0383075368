"""Prompts for programs: remembered, refreshed in the background, and there while the server is not."""

import asyncio
import json
import os
import re
import signal
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
import pytest

from client.blocking import BlockingPrompts
from client.errors import AccessDenied, ClientClosed, PromptAmbiguous, PromptNotFound, RequestRefused, ServerAway
from client.prompts import FRESH_SECONDS, RETRY_SECONDS, Prompts, PromptText
from server.access import Role
from tests.conftest import StartServer
from tests.support.people import ENVIRONMENT, invite
from tests.support.server import ServerProcess
from tests.support.waiting import wait_until

REQUESTS = re.compile(
    r'^promptroom_http_requests_total\{method="GET",route="/api/v1/prompts/\{prompt_id\}/versions/\{ref\}",.*\} (\S+)$',
    re.MULTILINE,
)


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class House:
    """A real server, somebody who writes to it, and prompts as another program reads them."""

    server: ServerProcess
    http: httpx2.AsyncClient
    prompts: Prompts
    clock: Clock
    token: str

    async def new_prompt(self, name: str, *texts: str) -> tuple[UUID, list[str]]:
        """Create a prompt with a version of each text, and answer its id and theirs."""
        created = (await self._sent("POST", "/prompts", {"name": name, "content": texts[0]})).json()
        prompt_id = UUID(created["id"])
        versions = []
        for number, text in enumerate(texts):
            if number:
                await self.write(prompt_id, texts[number - 1], text)
            versions.append(await self.make(prompt_id))
        return prompt_id, versions

    async def write(self, prompt_id: UUID, before: str, after: str) -> None:
        """Replace the whole text."""
        edit = {"edits": [{"find": before, "replace": after}]}
        await self._sent("POST", f"/prompts/{prompt_id}/edits", edit)

    async def make(self, prompt_id: UUID) -> str:
        """Make a version."""
        return str((await self._sent("POST", f"/prompts/{prompt_id}/versions", {"message": "One"})).json()["id"])

    async def point(self, prompt_id: UUID, label: str, version_id: str) -> None:
        """Create or move a label."""
        await self._sent("PUT", f"/prompts/{prompt_id}/labels/{label}", {"version": version_id})

    async def remove(self, prompt_id: UUID, label: str) -> None:
        """Delete a label."""
        await self._sent("DELETE", f"/prompts/{prompt_id}/labels/{label}")

    async def requests(self) -> int:
        """How many requests for versions the server has answered."""
        return int(sum(map(float, REQUESTS.findall((await self.http.get("/metrics")).text))))

    async def _sent(self, method: str, path: str, body: object = None) -> httpx2.Response:
        return (await self.http.request(method, f"/api/v1{path}", json=body)).raise_for_status()


@pytest.fixture
async def house(start_server: StartServer) -> AsyncIterator[House]:
    server = await start_server(environment=ENVIRONMENT)
    editor, viewer = await invite(server.database_url, Role.EDITOR, Role.VIEWER)
    headers = {"Authorization": f"Bearer {editor.token}"}
    clock = Clock()
    async with (
        httpx2.AsyncClient(base_url=server.base_url, headers=headers, trust_env=False, timeout=60) as http,
        Prompts(server.base_url, viewer.token, clock=clock) as prompts,
    ):
        yield House(server, http, prompts, clock, viewer.token)


async def test_a_label_is_asked_for_once_a_minute_however_many_ask(house: House) -> None:
    prompt_id, (first, second) = await house.new_prompt("Greeting 😀", "One 😀\n", "Two\n")
    await house.point(prompt_id, "production", first)

    async def read() -> tuple[str, str | None, bool]:
        prompt = await house.prompts.get_prompt("Greeting 😀", label="production")
        return prompt.text, prompt.version_id, prompt.is_stale

    before = await house.requests()
    assert set(await asyncio.gather(*(read() for _ in range(30)))) == {("One 😀\n", first, False)}
    assert await house.requests() == before + 1

    await house.point(prompt_id, "production", second)
    house.clock.now += FRESH_SECONDS - 1
    assert await read() == ("One 😀\n", first, False)
    assert await house.requests() == before + 1

    house.clock.now += 1
    assert set(await asyncio.gather(*(read() for _ in range(30)))) == {("One 😀\n", first, True)}

    async def is_second() -> bool:
        return await read() == ("Two\n", second, False)

    await wait_until(is_second, what="the label's new version")
    assert await house.requests() == before + 2


async def test_a_label_that_did_not_move_is_fresh_again(house: House) -> None:
    prompt_id, (first,) = await house.new_prompt("Greeting", "One\n")
    await house.point(prompt_id, "production", first)
    await house.prompts.get_prompt(prompt_id, label="production")
    house.clock.now += FRESH_SECONDS
    assert (await house.prompts.get_prompt(prompt_id, label="production")).is_stale

    async def is_fresh() -> bool:
        prompt = await house.prompts.get_prompt(prompt_id, label="production")
        return (prompt.text, prompt.is_stale) == ("One\n", False)

    await wait_until(is_fresh, what="an answer that it is the same still")
    assert 'status="304"' in (await house.http.get("/metrics")).text


async def test_a_server_that_is_away_is_not_missed(house: House) -> None:
    prompt_id, (first, second) = await house.new_prompt("Greeting", "One\n", "Two\n")
    await house.point(prompt_id, "production", first)
    assert (await house.prompts.get_prompt(prompt_id)).version_id == second
    by_id = await house.prompts.get_prompt(prompt_id, version=first)
    by_label = await house.prompts.get_prompt(prompt_id, label="production")
    assert by_id == by_label
    house.server.kill()

    house.clock.now += 1_000 * FRESH_SECONDS
    assert await house.prompts.get_prompt(prompt_id, version=first) == by_id
    for _ in range(3):
        stale = await house.prompts.get_prompt(prompt_id, label="production", fallback="not this")
        assert (stale.text, stale.is_stale, stale.is_fallback) == ("One\n", True, False)

    with pytest.raises(ServerAway) as caught:
        await house.prompts.get_prompt(prompt_id, label="staging")
    assert caught.value.code == "server_away"
    fallback = await house.prompts.get_prompt(prompt_id, label="staging", fallback="Be kind.")
    assert (fallback.text, fallback.is_fallback, fallback.version_id) == ("Be kind.", True, None)

    await house.server.start()
    await house.point(prompt_id, "production", second)
    await house.point(prompt_id, "staging", second)
    before = await house.requests()
    with pytest.raises(ServerAway):
        await house.prompts.get_prompt(prompt_id, label="staging")
    assert await house.requests() == before, "a server that was away is left alone for a while"

    house.clock.now += RETRY_SECONDS
    assert (await house.prompts.get_prompt(prompt_id, label="staging")).version_id == second

    async def is_second() -> bool:
        prompt = await house.prompts.get_prompt(prompt_id, label="production")
        return (prompt.version_id, prompt.is_stale) == (second, False)

    await wait_until(is_second, what="the label's new version")


async def test_what_is_not_there_has_an_error_of_its_own(house: House) -> None:
    prompt_id, (first,) = await house.new_prompt("Twice", "One\n")
    other_id, _ = await house.new_prompt("Twice", "Two\n")
    await house.new_prompt("Twice as nice", "Three\n")
    with pytest.raises(PromptAmbiguous, match=f"{prompt_id}|{other_id}") as ambiguous:
        await house.prompts.get_prompt("Twice")
    assert ambiguous.value.code == "prompt_ambiguous"
    for name, label, code in (
        ("Nowhere", None, "prompt_not_found"),
        (UUID(int=7), None, "prompt_not_found"),
        (prompt_id, "production", "version_not_found"),
    ):
        with pytest.raises(PromptNotFound) as missing:
            await house.prompts.get_prompt(name, label=label)
        assert missing.value.code == code
    with pytest.raises(RequestRefused) as refused:
        await house.prompts.get_prompt(prompt_id, version="x" * 100)
    assert refused.value.code == "request_invalid"
    assert (await house.prompts.get_prompt("Nowhere", fallback="Be kind.")).is_fallback
    with pytest.raises(ValueError, match="not both"):
        await house.prompts.get_prompt(prompt_id, label="production", version=first)


async def test_a_label_that_was_deleted_is_not_served_for_ever(house: House) -> None:
    prompt_id, (first,) = await house.new_prompt("Greeting", "One\n")
    await house.point(prompt_id, "production", first)
    await house.prompts.get_prompt(prompt_id, label="production")
    await house.remove(prompt_id, "production")
    house.clock.now += FRESH_SECONDS
    assert (await house.prompts.get_prompt(prompt_id, label="production")).is_stale

    async def is_gone() -> bool:
        return (await house.prompts.get_prompt(prompt_id, label="production", fallback="Be kind.")).is_fallback

    await wait_until(is_gone, what="the end of the label")


async def test_a_token_that_does_not_hold_is_said(house: House) -> None:
    async def no_token() -> str:
        raise OSError("the vault is sealed")

    prompt_id, _ = await house.new_prompt("Greeting", "One\n")
    for token, message in (("wrong", "401"), (no_token, "the vault is sealed")):
        async with Prompts(house.server.base_url, token) as prompts:
            with pytest.raises(AccessDenied, match=message):
                await prompts.get_prompt(prompt_id)


async def test_whoever_stops_waiting_stops_it_for_nobody_else(house: House) -> None:
    prompt_id, (first,) = await house.new_prompt("Greeting", "One\n")
    os.kill(house.server.pid, signal.SIGSTOP)
    try:
        impatient = asyncio.create_task(house.prompts.get_prompt(prompt_id))
        patient = asyncio.create_task(house.prompts.get_prompt(prompt_id))
        await asyncio.sleep(0)
        impatient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await impatient
    finally:
        os.kill(house.server.pid, signal.SIGCONT)
    assert (await patient).version_id == first


async def test_closing_ends_what_is_on_its_way(house: House) -> None:
    os.kill(house.server.pid, signal.SIGSTOP)
    try:
        waiting = asyncio.create_task(house.prompts.get_prompt("Greeting"))
        await asyncio.sleep(0)
        await house.prompts.close()
        with pytest.raises(ClientClosed):
            await waiting
    finally:
        os.kill(house.server.pid, signal.SIGCONT)
    with pytest.raises(ClientClosed):
        await house.prompts.get_prompt("Greeting")


async def test_programs_without_an_event_loop_read_the_same(house: House) -> None:
    prompt_id, (first,) = await house.new_prompt("Greeting", "One\n")

    def read() -> tuple[str, str | None, bool]:
        with BlockingPrompts(house.server.base_url, house.token) as prompts:
            prompt = prompts.get_prompt(prompt_id)
            with pytest.raises(PromptNotFound):
                prompts.get_prompt("Nowhere")
            fallback = prompts.get_prompt("Nowhere", fallback="Be kind.")
        prompts.close()
        with pytest.raises(ClientClosed):
            prompts.get_prompt(prompt_id)
        return prompt.text, prompt.version_id, fallback.is_fallback

    assert set(await asyncio.gather(*(asyncio.to_thread(read) for _ in range(3)))) == {("One\n", first, True)}


async def test_a_page_of_a_proxy_is_no_word_of_the_server() -> None:
    version = {"id": "1" * 40, "content": "One\n"}
    answers = [("200 OK", json.dumps(version)), ("404 Not Found", "<h1>default backend</h1>")]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        status, body = answers.pop(0)
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode())
        await writer.drain()
        writer.close()

    clock = Clock()
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as proxy:
        port = proxy.sockets[0].getsockname()[1]
        async with Prompts(f"http://127.0.0.1:{port}", "token", clock=clock) as prompts:
            assert (await prompts.get_prompt(UUID(int=1), label="production")).text == "One\n"
            clock.now += FRESH_SECONDS
            await prompts.get_prompt(UUID(int=1), label="production")
            await wait_until(lambda: not answers and not prompts._tasks, what="the page")  # noqa: SLF001
            stale = await prompts.get_prompt(UUID(int=1), label="production", fallback="Be kind.")
            assert (stale.text, stale.is_stale) == ("One\n", True)


def test_whoever_asks_while_another_closes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = BlockingPrompts("http://127.0.0.1:9", "token")
    ask = prompts._prompts.get_prompt  # noqa: SLF001

    def ask_when_closed(prompt: UUID, **wanted: Any) -> Coroutine[Any, Any, PromptText]:  # noqa: ANN401
        prompts.close()
        return ask(prompt, **wanted)

    monkeypatch.setattr(prompts._prompts, "get_prompt", ask_when_closed)  # noqa: SLF001
    with pytest.raises(ClientClosed):
        prompts.get_prompt(UUID(int=1))
