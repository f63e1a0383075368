"""`promptroom export --git`: a project as a repository, read by the real Git, from both databases."""

import asyncio
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from crdt.document import initial_state
from persistence.labels import LabelChange
from persistence.prompts import Prompt
from persistence.store import Store, migrate
from persistence.versions import Version, VersionKind
from server import cli
from server.history.making import Draft, make_version
from tests.server.test_cli import failure, run

TEXTS = {"Main": ["One\r\n", "Two 😀\n", "Three\n"], "Größe & more": ["", "line\n\u2028\n\nend"], "Never": []}


@dataclass(frozen=True)
class Filled:
    """What was stored: the prompts by slug, each with its versions."""

    prompts: dict[str, Prompt]
    versions: dict[str, list[Version]]


async def fill(database_url: str) -> Filled:
    store = await Store.open(database_url)
    try:
        home = await store.bootstrap()
        project = await store.projects.create(home.organization.id, "Support")
        prompts, versions = {}, {}
        for client_id, (name, texts) in enumerate(TEXTS.items(), start=1):
            prompt = await store.prompts.create(
                organization_id=home.organization.id,
                project_id=project.id,
                name=name,
                state=initial_state("", client_id),
                client_id=client_id,
                user_id=home.owner.id,
            )
            chain: list[Version] = []
            for number, text in enumerate(texts):
                draft = Draft(text, 1, home.owner.id, VersionKind.MANUAL, f"Version {number}", 1.7e9 + number)
                version, _ = await make_version(store, prompt, chain[-1] if chain else None, draft)
                chain.append(version)
            prompts[prompt.slug], versions[prompt.slug] = prompt, chain
        first = LabelChange(home.owner.id, versions["main"][0].id)
        await store.labels.change(prompts["main"].id, "production", first, permit=lambda _: None)
        return Filled(prompts, versions)
    finally:
        await store.close()


@pytest.fixture
def filled(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Filled:
    """A project `Support` in the database that the commands find in the environment."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setattr(cli, "configure_logging", lambda **_: None)
    asyncio.run(migrate(database_url))
    return asyncio.run(fill(database_url))


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """An empty directory."""
    (tmp_path / "places").mkdir()
    return tmp_path / "places"


def git_bytes(directory: Path, *arguments: str) -> bytes:
    command = ["git", "-C", str(directory), *arguments]  # found on the path, as a checkout needs it
    return subprocess.run(command, check=True, capture_output=True).stdout


def git(directory: Path, *arguments: str) -> str:
    return git_bytes(directory, *arguments).decode()


def test_git_reads_every_version_under_its_id(places: Path, filled: Filled) -> None:
    directory = places / "made" / "support"
    result = run("export", "Support", str(directory), "--git")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"Never has no version: left out.\n2 prompts are in {directory}.\n"
    git(directory, "fsck", "--strict")
    assert git(directory, "status", "--porcelain") == ""
    for slug in ("main", "groe-more"):
        ids = [version.id for version in reversed(filled.versions[slug])]
        assert git(directory, "log", "--format=%H", f"prompts/{slug}").split() == ids
        texts = TEXTS[filled.prompts[slug].name]
        for version, text in zip(filled.versions[slug], texts, strict=True):
            assert git_bytes(directory, "show", f"{version.id}:{version.path}") == text.encode()
        assert (directory / f"{slug}.prompt").read_bytes() == texts[-1].encode()
    assert git(directory, "rev-parse", "main/production").strip() == filled.versions["main"][0].id
    assert set(git(directory, "ls-files", "-z").split("\0")) == {"groe-more.prompt", "main.prompt", ""}
    assert git(directory, "log", "--format=%s", "main", "--", "main.prompt").splitlines()[0] == "Version 2"


@pytest.mark.usefixtures("filled")
def test_the_same_twice_is_the_same_commit(places: Path) -> None:
    for name in ("a", "b"):
        assert run("export", "Support", str(places / name), "--git").exit_code == 0
    assert git(places / "a", "rev-parse", "main") == git(places / "b", "rev-parse", "main")


@pytest.mark.usefixtures("filled")
def test_what_cannot_be_done_is_one_line_and_leaves_nothing(places: Path) -> None:
    (places / "full").mkdir()
    (places / "full" / "mine").touch()
    (places / "empty").mkdir()
    assert "is not empty" in failure(run("export", "Support", str(places / "full"), "--git"))
    assert "cannot be written" in failure(run("export", "Support", str(places / "full" / "mine" / "x"), "--git"))
    both = run("export", "Support", str(places / "made"), "--git", "--ref", "latest")
    assert (both.exit_code, "leave one out" in failure(both)) == (2, True)
    before = sorted(path.name for path in places.iterdir())
    assert run("export", "Support", str(places / "empty"), "--git").exit_code == 0
    assert sorted(path.name for path in places.iterdir()) == before
