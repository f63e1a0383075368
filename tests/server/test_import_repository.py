"""`promptroom import` of an exported repository: every version under its id, in both databases."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from crdt.document import initial_state
from persistence.labels import LabelChange
from persistence.prompts import Prompt
from persistence.store import OpenMode, Store, migrate
from persistence.tables import versions
from persistence.versions import Version, VersionKind
from server import cli
from server.fsck import check_everything
from server.history.making import Draft, make_version
from tests.server.test_cli import failure, run
from tests.server.test_export_repository import git

TEXTS = ["", "One\nTwo 😀\n", "One\nTwo 😀 and more\n", "One\nTwo 😀\n"]


async def fill(store: Store) -> None:
    home = await store.bootstrap()
    project = await store.projects.create(home.organization.id, "Support")
    ben = await store.accounts.create_user("Ben", email="ben@example.org")
    await store.accounts.add_membership(home.organization.id, ben.id, "editor")
    gone = await store.accounts.create_user("Gone", email="gone@example.org")
    for client_id, name in enumerate(("Main", "Größe & more"), start=1):
        prompt = await store.prompts.create(
            organization_id=home.organization.id,
            project_id=project.id,
            name=name,
            state=initial_state("", client_id),
            client_id=client_id,
            user_id=home.owner.id,
        )
        version: Version | None = None
        for number, text in enumerate(TEXTS):
            author_id = (home.owner.id, ben.id, gone.id)[number % 3]
            draft = Draft(text, 1, author_id, VersionKind.MANUAL, f"Version {number}\n\nand why", 1.7e9 - number)
            version, _ = await make_version(store, prompt, version, draft)
            if number % 2:
                change = LabelChange(ben.id, version.id)
                await store.labels.change(prompt.id, f"label-{number}", change, permit=lambda _: None)


def in_store(database_url: str, work: Callable[[Store], Any]) -> Any:  # noqa: ANN401 - whatever the work answers
    async def do() -> Any:  # noqa: ANN401
        store = await Store.open(database_url, mode=OpenMode.COMMAND)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(do())


@pytest.fixture
def database(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with a project `Support`, which is exported to `tmp_path / "out"`."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setattr(cli, "configure_logging", lambda **_: None)
    asyncio.run(migrate(database_url))
    in_store(database_url, fill)
    assert run("export", "Support", str(tmp_path / "out"), "--git").exit_code == 0
    return database_url


async def prompts_of(store: Store, project: str) -> dict[str, Prompt]:
    organization = (await store.bootstrap()).organization
    (found,) = [each for each in (await store.projects.list(organization.id)).items if each.name == project]
    prompts = (await store.prompts.list(organization.id, project_id=found.id)).items
    return {prompt.slug: prompt for prompt in prompts}


async def histories(store: Store, project: str) -> dict[str, Any]:
    found = {}
    for slug, prompt in (await prompts_of(store, project)).items():
        chain = (await store.versions.list(prompt.id)).items
        labels = {label.name: label.version_id for label in await store.labels.list(prompt.id)}
        found[slug] = (
            [(each.id, each.number, each.message, each.author.name, each.created_at) for each in chain],
            labels,
        )
    return found


@pytest.mark.parametrize("cloned", [False, True])
def test_every_version_comes_back_under_its_id(database: str, tmp_path: Path, *, cloned: bool) -> None:
    directory = tmp_path / "out"
    if cloned:
        directory = tmp_path / "clone"
        git(tmp_path, "clone", "-q", str(tmp_path / "out"), str(directory))
    result = run("import", str(directory), "--project", "Again")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "2 prompts are in the project Again.\n"
    assert in_store(database, lambda store: histories(store, "Again")) == in_store(
        database, lambda store: histories(store, "Support")
    )
    assert run("export", "Again", str(tmp_path / "again"), "--git").exit_code == 0
    shown = [git(tmp_path / name, "for-each-ref", "refs/heads/prompts", "refs/tags") for name in ("out", "again")]
    assert shown[0] == shown[1]
    assert run("export", "Again", str(tmp_path / "live")).exit_code == 0
    assert (tmp_path / "live" / "main.prompt").read_bytes() == TEXTS[-1].encode()


def test_the_journal_has_every_text_and_its_author(database: str, tmp_path: Path) -> None:
    assert run("import", str(tmp_path / "out"), "--project", "Again").exit_code == 0

    async def look(store: Store) -> None:
        findings = await check_everything(store)
        prompts = {str(prompt.id) for prompt in (await prompts_of(store, "Again")).values()}
        assert [finding for finding in findings if any(each in finding for each in prompts)] == []
        prompt = (await prompts_of(store, "Again"))["main"]
        owner = (await store.bootstrap()).owner.id
        ben = await store.accounts.user_by_email("ben@example.org")
        assert ben is not None
        # Who is no member any more is a name only: what they made is the importer's.
        entries = await store.journal.read(prompt.id)
        assert [entry.user_id for entry in entries] == [owner, ben.id, owner, owner]
        chain = (await store.versions.list(prompt.id)).items
        assert [version.seq for version in chain] == [4, 3, 2, 1]
        assert [version.author.name for version in chain][1] == "Gone"
        head = chain[0]
        draft = Draft("After\n", 4, owner, VersionKind.MANUAL, "After", 1.8e9)
        version, is_new = await make_version(store, prompt, head, draft)
        assert (version.parent_id, is_new) == (head.id, True)
        of_third = (versions.c.prompt_id == prompt.id, versions.c.number == 3)
        async with store.database.write() as connection:
            await connection.execute(update(versions).where(*of_third).values(seq=2))
        findings = [each for each in await check_everything(store) if str(prompt.id) in each]
        assert len(findings) == 1
        assert "version 3" in findings[0]
        assert "has another seq than its commit says" in findings[0]

    in_store(database, look)


def test_what_promptroom_did_not_make_is_one_line_and_creates_nothing(database: str, tmp_path: Path) -> None:
    directory = tmp_path / "out"
    assert "has a prompt" in failure(run("import", str(directory), "--project", "Support"))
    git(directory, "tag", "main/HEAD", "prompts/main")
    assert "the tag main/HEAD is not a label" in failure(run("import", str(directory), "--project", "New"))
    git(directory, "tag", "-d", "main/HEAD")
    identity = ("-c", "user.name=Eve", "-c", "user.email=eve@example.org")
    git(directory, "checkout", "-q", "prompts/main")
    (directory / "main.prompt").write_text("Mine\n")
    git(directory, *identity, "commit", "-qam", "By hand")
    assert "is not one that Promptroom made" in failure(run("import", str(directory), "--project", "New"))
    git(directory, *identity, "commit", "-q", "--amend", "--allow-empty-message", "-m", "")
    assert "cannot be read" in failure(run("import", str(directory), "--project", "New"))
    git(directory, "checkout", "-q", "main")
    git(directory, "branch", "-f", "prompts/main", "main")
    assert "is not one that Promptroom made" in failure(run("import", str(directory), "--project", "New"))
    for pack in (directory / ".git" / "objects" / "pack").iterdir():
        pack.chmod(0o600)
        pack.write_bytes(b"")
    assert "cannot be read" in failure(run("import", str(directory), "--project", "New"))

    async def projects(store: Store) -> set[str]:
        organization = (await store.bootstrap()).organization
        return {project.name for project in (await store.projects.list(organization.id)).items}

    assert "New" not in in_store(database, projects)
