"""A prompt as a Git repository, for the real Git."""

import asyncio
import base64
import time
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from uuid import UUID

import httpx2
import pytest

from persistence.store import Store
from server.access import Role
from tests.conftest import StartServer
from tests.server.api.edge import Edge
from tests.support.git_client import GitClient, GitFailed
from tests.support.many_versions import Stored, add_versions, point
from tests.support.people import ENVIRONMENT, beside, invite
from tests.support.rest import Rest
from tests.support.server import ServerProcess

TEXTS = ["", "Say hello\n", "Say 😀\nto {{name}}\n", "Say hello\n", "no newline", "x\ny\n" * 5_000]


@dataclass(frozen=True)
class House:
    """A real server with one prompt, and the tokens of somebody who may read it and somebody who may write."""

    server: ServerProcess
    prompt_id: UUID
    token: str
    editor: str

    @property
    def url(self) -> str:
        """Where Git finds the prompt."""
        return self.url_with(self.token)

    def url_with(self, token: str) -> str:
        """Where Git finds the prompt, with another password."""
        return f"http://git:{token}@127.0.0.1:{self.server.port}/git/{self.prompt_id}.git"

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """Open the store beside the server."""
        async with beside(self.server.database_url) as store:
            yield store


@pytest.fixture
async def house(start_server: StartServer) -> House:
    server = await start_server(environment=ENVIRONMENT)
    editor, viewer = await invite(server.database_url, Role.EDITOR, Role.VIEWER)
    async with httpx2.AsyncClient(trust_env=False) as http:
        prompt_id = await Rest(http, server.base_url, editor.token).new_prompt("Greeting", "")
    return House(server, prompt_id, viewer.token, editor.token)


@pytest.fixture
def git(tmp_path: Path) -> GitClient:
    (tmp_path / "git").mkdir()
    return GitClient(tmp_path / "git")


async def log(git: GitClient, ref: str) -> list[str]:
    return (await git.run("log", "--format=%H", "--reverse", ref)).split()


async def texts(git: GitClient, stored: list[Stored]) -> list[str]:
    return [(await git.run_bytes("show", f"{each.id}:greeting.prompt")).decode() for each in stored]


async def test_a_clone_has_every_version_as_it_was_made(house: House, git: GitClient) -> None:
    async with house.store() as store:
        stored = await add_versions(store, house.prompt_id, TEXTS, author="Größe")
        await point(store, house.prompt_id, "production", stored[2].id)
    clone = await git.clone(house.url)
    assert await clone.run("branch", "--show-current") == "main"
    assert await log(clone, "main") == [each.id for each in stored]
    assert await texts(clone, stored) == TEXTS
    assert await clone.run("rev-parse", "origin/production") == stored[2].id
    assert (
        await clone.run("log", "-1", "--format=%an <%ae> %at %s", "main")
        == "Größe <größe@example.org> 1800000006 Version 6"
    )
    await clone.run("fsck", "--strict", "--full")
    assert (await clone.run("blame", "-s", stored[2].id, "--", "greeting.prompt")).count("\n") == 1


async def test_the_ids_are_those_of_rest(house: House, git: GitClient) -> None:
    headers = {"Authorization": f"Bearer {house.editor}"}
    path = f"/api/v1/prompts/{house.prompt_id}"
    async with httpx2.AsyncClient(base_url=house.server.base_url, headers=headers, trust_env=False) as http:
        for number in range(3):
            edit = {"edits": [{"start": 0, "end": 0, "text": f"😀 {number}\n"}]}
            (await http.post(f"{path}/edits", json=edit)).raise_for_status()
            (await http.post(f"{path}/versions", json={"message": f"Änderung {number}"})).raise_for_status()
        listed = (await http.get(f"{path}/versions")).json()["items"]
        (await http.put(f"{path}/labels/staging", json={"version": listed[1]["id"]})).raise_for_status()
    clone = await git.clone(house.url)
    told = await clone.run("log", "--format=%H %an %at %s", "main")
    assert told.splitlines() == [
        f"{each['id']} {each['author']['name']} {seconds(each['created_at'])} {each['message']}" for each in listed
    ]
    assert await clone.run("rev-parse", "origin/staging") == listed[1]["id"]
    await clone.run("fsck", "--strict", "--full")


def seconds(shown: str) -> int:
    return int(datetime.fromisoformat(shown).timestamp())


async def test_a_fetch_brings_what_is_new_and_labels_that_moved(house: House, git: GitClient) -> None:
    async with house.store() as store:
        stored = await add_versions(store, house.prompt_id, ["one\n", "two\n", "three\n"])
        await point(store, house.prompt_id, "production", stored[2].id)
        clone = await git.clone(house.url)
        stored += await add_versions(store, house.prompt_id, [f"{n}\n" for n in range(40)])
        await point(store, house.prompt_id, "production", stored[0].id)
        await point(store, house.prompt_id, "staging", stored[-1].id)
    await clone.run("fetch", "--quiet")
    assert await log(clone, "origin/main") == [each.id for each in stored]
    assert await clone.run("rev-parse", "origin/production") == stored[0].id
    assert await clone.run("rev-parse", "origin/staging") == stored[-1].id
    await clone.run("fsck", "--strict", "--full")
    await clone.run("merge", "--quiet", "--ff-only", "origin/main")
    await clone.run("fetch", "--quiet")


async def test_a_fetch_sends_only_what_the_client_lacks(house: House, git: GitClient) -> None:
    async with house.store() as store:
        await add_versions(store, house.prompt_id, [f"{n}\n" for n in range(300)])
        clone = await git.clone(house.url)
        await add_versions(store, house.prompt_id, ["new\n"])
    (clone.directory / "mine.txt").write_text("own work\n")
    await clone.run("add", "mine.txt")
    await clone.run("-c", "user.name=Me", "-c", "user.email=me@example.org", "commit", "--quiet", "-m", "Mine")
    before = await objects(clone)
    await clone.run("fetch", "--quiet")
    assert await objects(clone) == before + 3


async def objects(git: GitClient) -> int:
    listed = await git.run("cat-file", "--batch-all-objects", "--batch-check", "--unordered")
    return len(set(listed.splitlines()))


async def test_one_branch_can_be_cloned(house: House, git: GitClient) -> None:
    async with house.store() as store:
        stored = await add_versions(store, house.prompt_id, ["one\n", "two\n", "three\n"])
        await point(store, house.prompt_id, "production", stored[1].id)
    clone = await git.clone(house.url, "--single-branch", "--branch", "production")
    assert await log(clone, "HEAD") == [each.id for each in stored[:2]]
    assert await objects(clone) == 6


@pytest.mark.parametrize("version", ["0", "1", "2"])
async def test_git_gets_along_whatever_version_it_speaks(house: House, git: GitClient, version: str) -> None:
    async with house.store() as store:
        stored = await add_versions(store, house.prompt_id, ["one\n"])
    clone = await git.clone(house.url, "-c", f"protocol.version={version}")
    assert await log(clone, "main") == [stored[0].id]


async def test_a_prompt_without_versions_is_an_empty_repository(house: House, git: GitClient) -> None:
    clone = await git.clone(house.url)
    assert await clone.run("branch", "--all") == ""


async def test_random_histories_are_sound(house: House, git: GitClient, rng: Random) -> None:
    pieces = ["a", "\n", "😀", "漢字", "é", "{{x}}", " "]
    async with house.store() as store:
        for round_number in range(5):
            made = [*TEXTS, *("".join(rng.choices(pieces, k=rng.randint(0, 80))) for _ in range(30))]
            rng.shuffle(made)
            await add_versions(store, house.prompt_id, made)
            (git.directory / str(round_number)).mkdir()
            clone = await GitClient(git.directory / str(round_number)).clone(house.url)
            await clone.run("fsck", "--strict", "--full")


async def test_a_wrong_token_opens_nothing(house: House, git: GitClient) -> None:
    with pytest.raises(GitFailed, match="Authentication failed"):
        await git.clone(house.url_with("wrong"))


async def test_nothing_can_be_pushed(house: House, git: GitClient) -> None:
    async with house.store() as store:
        await add_versions(store, house.prompt_id, ["one\n"])
    clone = await git.clone(house.url)
    with pytest.raises(GitFailed, match="403"):
        await clone.run("push", "--quiet", "origin", "main:refs/heads/mine")


@pytest.mark.slow
async def test_ten_thousand_versions_are_cloned_soon_and_hold_nobody_up(
    house: House, git: GitClient, rng: Random
) -> None:
    lines = [f"Line {n} of a prompt about {rng.random()}\n" for n in range(40)]
    made = []
    for number in range(10_000):
        lines[rng.randrange(40)] = f"Line {number} says {rng.random()}\n"
        made.append("".join(lines))
    async with house.store() as store:
        stored = await add_versions(store, house.prompt_id, made)
    worst = 0.0
    cloning = asyncio.create_task(git.clone(house.url, "--bare"))
    started = time.perf_counter()
    async with httpx2.AsyncClient(trust_env=False) as http:
        while not cloning.done():
            asked = time.perf_counter()
            (await http.get(f"{house.server.base_url}/healthz")).raise_for_status()
            worst = max(worst, time.perf_counter() - asked)
            await asyncio.sleep(0)
    clone = await cloning
    seconds = time.perf_counter() - started
    print(f"10,000 versions cloned in {seconds:.1f} s; the slowest answer meanwhile took {worst * 1000:.0f} ms")  # noqa: T201
    assert await log(clone, "main") == [each.id for each in stored]
    assert seconds < 10
    assert worst < 0.5


# --- the HTTP of it -------------------------------------------------------------------------------------------------


def basic(token: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"anybody:{token}".encode()).decode()}


async def refs(
    edge: Edge, prompt_id: object, headers: dict[str, str], service: str = "git-upload-pack"
) -> httpx2.Response:
    return await edge.client.get(f"/git/{prompt_id}.git/info/refs", params={"service": service}, headers=headers)


@pytest.mark.parametrize(
    "headers", [{}, basic(""), basic("wrong"), {"Authorization": "Basic ???"}, {"Authorization": "Digest x"}]
)
async def test_who_is_not_known_is_asked_for_a_password(edge: Edge, headers: dict[str, str]) -> None:
    for answer in (
        await refs(edge, edge.prompt_id, headers),
        await edge.client.post(f"/git/{edge.prompt_id}.git/git-upload-pack", headers=headers),
    ):
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic realm=")


async def test_every_member_may_read_also_with_a_bearers_token(edge: Edge) -> None:
    for headers in (basic(edge.token("viewer")), {"Authorization": f"Bearer {edge.token('viewer')}"}):
        answer = await refs(edge, edge.prompt_id, headers)
        assert (answer.status_code, answer.headers["content-type"]) == (
            200,
            "application/x-git-upload-pack-advertisement",
        )
        assert "no-cache" in answer.headers["cache-control"]


async def test_what_belongs_to_others_is_not_there(edge: Edge) -> None:
    headers = basic(edge.token("viewer"))
    for prompt_id in (edge.foreign_prompt_id, UUID(int=7), "no-id"):
        assert (await refs(edge, prompt_id, headers)).status_code == 404
        answer = await edge.client.post(f"/git/{prompt_id}.git/git-upload-pack", headers=headers, content=b"0000")
        assert (answer.status_code, answer.json()["code"]) == (404, "prompt_not_found")


async def test_a_deleted_prompt_is_not_there(edge: Edge) -> None:
    await edge.store.prompts.delete(edge.prompt_id)
    assert (await refs(edge, edge.prompt_id, basic(edge.token("viewer")))).status_code == 404


@pytest.mark.parametrize("service", ["", "git-receive-pack", "git-upload-archive"])
async def test_only_fetching_is_served(edge: Edge, service: str) -> None:
    assert (await refs(edge, edge.prompt_id, basic(edge.token("owner")), service)).status_code == 403


@pytest.mark.parametrize(
    ("content", "encoding", "status"),
    [
        (b"0000", "identity", 200),
        (zlib.compress(b"0000", wbits=31), "gzip", 200),
        (b"0000", "gzip", 422),
        (zlib.compress(bytes(50_000_000), wbits=31), "gzip", 413),
        (b"nonsense", "identity", 422),
    ],
)
async def test_a_body_may_be_compressed_and_is_bounded(edge: Edge, content: bytes, encoding: str, status: int) -> None:
    answer = await edge.client.post(
        f"/git/{edge.prompt_id}.git/git-upload-pack",
        headers=basic(edge.token("viewer")) | {"Content-Encoding": encoding},
        content=content,
    )
    assert answer.status_code == status
