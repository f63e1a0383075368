"""Random histories: what Git tells of a prompt is what REST tells of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import pytest

from crdt.offsets import codepoint_to_utf16
from server.access import Role
from tests.conftest import StartServer
from tests.support.git_client import GitClient
from tests.support.people import ENVIRONMENT, invite
from tests.support.server import ServerProcess

HISTORIES = 3
HISTORIES_OF_A_LONG_RUN = 200
ROUNDS = 6
PIECES = ["a", "bc ", "hello\n", "\n", "é", "漢字", "😀", "👩\u200d💻", "{{name}}"]


@dataclass(frozen=True)
class Writer:
    """Somebody with a connection of their own."""

    http: httpx2.AsyncClient
    token: str

    async def call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Ask for something that has to succeed, and answer what came."""
        answer = await self.http.request(method, f"/api/v1{path}", json=body)
        assert answer.status_code < 300, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def edit(self, prompt: str, start: int, end: int, text: str) -> None:
        """Edit a text that others may have changed meanwhile: then it may not fit any more."""
        body = {"edits": [{"start": start, "end": end, "text": text}]}
        answer = await self.http.post(f"/api/v1/prompts/{prompt}/edits", json=body)
        assert answer.status_code in {200, 409}, answer.text

    async def text(self, prompt: str) -> str:
        """Answer the live text."""
        return str((await self.call("GET", f"/prompts/{prompt}/live"))["content"])


@dataclass(frozen=True)
class Town:
    """A server and three who write."""

    server: ServerProcess
    writers: list[Writer]
    directory: Path

    async def clone(self, prompt: str) -> GitClient:
        """Clone a prompt."""
        directory = self.directory / prompt
        directory.mkdir()
        url = f"http://git:{self.writers[0].token}@127.0.0.1:{self.server.port}/git/{prompt}.git"
        return await GitClient(directory).clone(url)


@pytest.fixture
async def town(start_server: StartServer, tmp_path: Path) -> AsyncIterator[Town]:
    server = await start_server(environment=ENVIRONMENT)
    people = await invite(server.database_url, Role.OWNER, Role.EDITOR, Role.EDITOR)
    async with AsyncExitStack() as stack:
        writers = []
        for person in people:
            headers = {"Authorization": f"Bearer {person.token}"}
            client = httpx2.AsyncClient(base_url=server.base_url, headers=headers, trust_env=False, timeout=60)
            writers.append(Writer(await stack.enter_async_context(client), person.token))
        (tmp_path / "clones").mkdir()
        yield Town(server, writers, tmp_path / "clones")


def edited(rng: Random, text: str) -> tuple[int, int, str]:
    """An insertion or a deletion, in UTF-16 offsets."""
    place = rng.randint(0, len(text))
    if rng.random() < 0.3:
        end = min(len(text), place + rng.randint(1, 8))
        return codepoint_to_utf16(text, place), codepoint_to_utf16(text, end), ""
    start = codepoint_to_utf16(text, place)
    return start, start, "".join(rng.choices(PIECES, k=rng.randint(1, 6)))


async def write_history(town: Town, rng: Random, prompt: str) -> None:
    """All three write at once, rename, empty and restore; one of them makes a version."""
    for number in range(ROUNDS):
        text = await town.writers[0].text(prompt)
        await asyncio.gather(*(writer.edit(prompt, *edited(rng, text)) for writer in town.writers for _ in range(2)))
        one = rng.choice(town.writers)
        if rng.random() < 0.2:
            length = len((await one.text(prompt)).encode("utf-16-le")) // 2
            await one.edit(prompt, 0, length, "")
        if rng.random() < 0.2:
            await one.call("PATCH", f"/prompts/{prompt}", {"name": f"Renamed {number} 😀"})
        if number > 2 and rng.random() < 0.3:
            old = rng.choice((await one.call("GET", f"/prompts/{prompt}/versions"))["items"])
            await one.call("POST", f"/prompts/{prompt}/versions/{old['id']}/revert", {})
        message = rng.choice(["One", "Größe 😀", "Two lines\n\nand more", "# not a comment", "Co-authored-by: me"])
        made = await one.call("POST", f"/prompts/{prompt}/versions", {"message": message})
        await one.call(
            "PUT", f"/prompts/{prompt}/labels/{rng.choice(['production', 'staging'])}", {"version": made["id"]}
        )


async def check_history(town: Town, prompt: str) -> None:
    """What a clone holds is what REST shows."""
    clone, reader = await town.clone(prompt), town.writers[1]
    listed = (await reader.call("GET", f"/prompts/{prompt}/versions?limit=100"))["items"]
    separated = "%H%x00%P%x00%an%x00%at%x00%(trailers:key=Co-authored-by,valueonly,separator=%x01)%x00%B%x02"
    told = (await clone.run("log", f"--format={separated}", "main")).split("\x02")[:-1]
    assert len(told) == len(listed)
    for one, version in zip(told, listed, strict=True):
        version_id, parents, author, seconds, co_authors, message = one.lstrip("\n").split("\0")
        assert (version_id, parents.split()) == (version["id"], version["parent_ids"])
        assert author == version["author"]["name"]
        assert int(seconds) == datetime.fromisoformat(version["created_at"]).timestamp()
        names = [trailer.rpartition(" <")[0] for trailer in co_authors.split("\x01") if " <" in trailer]
        assert names == [each["name"] for each in version["co_authors"]]
        assert message.startswith(version["message"])
        shown = await reader.call("GET", f"/prompts/{prompt}/versions/{version_id}")
        (file,) = (await clone.run("ls-tree", "--name-only", version_id)).splitlines()
        assert (await clone.run_bytes("show", f"{version_id}:{file}")).decode() == shown["content"]
    for label in (await reader.call("GET", f"/prompts/{prompt}/labels"))["items"]:
        assert await clone.run("rev-parse", f"origin/{label['name']}") == label["version_id"]
    await clone.run("fsck", "--strict", "--full")


async def write_lines(town: Town, rng: Random, prompt: str) -> None:
    """One after the other adds and removes whole lines, no two of which are the same, and makes a version."""
    for number in range(ROUNDS):
        one = rng.choice(town.writers)
        for turn in range(3):
            lines = (await one.text(prompt)).splitlines(keepends=True)
            place = rng.randint(0, len(lines))
            start = sum(len(line.encode("utf-16-le")) // 2 for line in lines[:place])
            removed = lines[place : place + 1] if rng.random() < 0.3 else []
            end = start + sum(len(line.encode("utf-16-le")) // 2 for line in removed)
            await one.edit(prompt, start, end, "" if removed else f"Line {number}.{turn} 😀 {rng.random()}\n")
        await one.call("POST", f"/prompts/{prompt}/versions", {"message": f"Round {number}"})


async def check_blame(town: Town, prompt: str) -> None:
    """Git names the same author of each line as REST."""
    clone, reader = await town.clone(prompt), town.writers[2]
    content = (await reader.call("GET", f"/prompts/{prompt}/versions/latest"))["content"].encode("utf-16-le")
    spans = (await reader.call("GET", f"/prompts/{prompt}/blame?ref=latest"))["spans"]
    ours: list[set[str]] = [set()]
    for span in spans:
        for character in content[2 * span["start"] : 2 * span["end"]].decode("utf-16-le"):
            ours[-1].add(span["user"]["name"])
            if character == "\n":
                ours.append(set())
    assert ours.pop() == set()
    (file,) = (await clone.run("ls-tree", "--name-only", "main")).splitlines()
    blamed = await clone.run("blame", "--line-porcelain", "main", "--", file)
    theirs = [{line.removeprefix("author ")} for line in blamed.splitlines() if line.startswith("author ")]
    assert theirs == ours


Write = Callable[[Town, Random, str], Awaitable[None]]
Check = Callable[[Town, str], Awaitable[None]]


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize(("write", "check"), [(write_history, check_history), (write_lines, check_blame)])
async def test_git_and_rest_tell_the_same(town: Town, seed: int, write: Write, check: Check, *, long_run: bool) -> None:
    for number in range(HISTORIES_OF_A_LONG_RUN if long_run else HISTORIES):
        rng = Random(f"{seed} {write.__name__} {number}")
        content = rng.choice(["", "Start 😀\n", "no newline"]) if write is write_history else ""
        created = await town.writers[0].call("POST", "/prompts", {"name": f"History {number}", "content": content})
        await write(town, rng, created["id"])
        await check(town, created["id"])
