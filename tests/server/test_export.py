"""`promptroom export`: a project as files, read beside a running server or without one."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from crdt.document import initial_state
from persistence.labels import LabelChange
from persistence.prompts import Prompt
from persistence.store import OpenMode, Store
from persistence.versions import VersionKind
from server.history.making import Draft, make_version
from server.settings import Settings
from tests.server.test_cli import failure, run, settings

__all__ = ["settings"]

TEXTS = {"Greeting": "Say {{greeting}} 😀\n", "Empty": "", "Größe & more": "line\n\u2028\n\nend"}
FILES = {"greeting.prompt": TEXTS["Greeting"], "empty.prompt": "", "groe-more.prompt": TEXTS["Größe & more"]}


def in_store(settings: Settings, work: Any) -> Any:  # noqa: ANN401 - whatever the work answers
    async def do() -> Any:  # noqa: ANN401
        store = await Store.open(settings.database_url, mode=OpenMode.COMMAND)
        try:
            coroutine: Coroutine[Any, Any, Any] = work(store)
            return await coroutine
        finally:
            await store.close()

    return asyncio.run(do())


@pytest.fixture
def project(settings: Settings) -> str:
    """A project with three prompts, one of which has a version that is labelled; answers its id."""

    async def fill(store: Store) -> str:
        home = await store.bootstrap()
        made = await store.projects.create(home.organization.id, "Support")
        prompts: list[Prompt] = [
            await store.prompts.create(
                organization_id=home.organization.id,
                project_id=made.id,
                name=name,
                state=initial_state(text, 7),
                client_id=7,
                user_id=home.owner.id,
            )
            for name, text in TEXTS.items()
        ]
        draft = Draft("As it was\n", 1, home.owner.id, VersionKind.MANUAL, "First", 1.8e9)
        version, _ = await make_version(store, prompts[0], None, draft)
        change = LabelChange(home.owner.id, version.id)
        await store.labels.change(prompts[0].id, "production", change, permit=lambda _: None)
        return str(made.id)

    return str(in_store(settings, fill))


def files(directory: Path) -> dict[str, str]:
    return {path.name: path.read_bytes().decode() for path in directory.iterdir()}


@pytest.mark.parametrize("by_name", [True, False])
def test_every_prompt_of_a_project_is_a_file(tmp_path: Path, project: str, *, by_name: bool) -> None:
    directory = tmp_path / "made" / "now"
    result = run("export", "Support" if by_name else project, str(directory))
    assert (result.exit_code, result.stderr) == (0, "")
    assert files(directory) == FILES
    assert result.stdout == f"3 prompts are in {directory}.\n"


def test_files_are_replaced_and_others_stay(tmp_path: Path, project: str) -> None:
    for name in ("greeting.prompt", "README.md"):
        (tmp_path / name).write_text("before")
    directory = tmp_path
    assert run("export", project, str(directory)).exit_code == 0
    assert (directory / "greeting.prompt").read_text() == TEXTS["Greeting"]
    assert (directory / "README.md").read_text() == "before"


@pytest.mark.parametrize("ref", ["production", "latest"])
def test_a_ref_says_which_text_and_who_lacks_it_is_left_out(tmp_path: Path, project: str, ref: str) -> None:
    directory = tmp_path / "made"
    result = run("export", project, str(directory), "--ref", ref)
    assert result.exit_code == 0
    assert files(directory) == {"greeting.prompt": "As it was\n"}
    assert set(result.stdout.splitlines()) == {
        f"Größe & more has no {ref}: left out.",
        f"Empty has no {ref}: left out.",
        f"1 prompt is in {directory}.",
    }


def test_what_cannot_be_done_is_one_line(tmp_path: Path, project: str, settings: Settings) -> None:
    assert "no project 'Nobody'" in failure(run("export", "Nobody", str(tmp_path / "made")))
    assert "no project" in failure(run("export", "0" * 32, str(tmp_path / "made")))
    (tmp_path / "file").touch()
    assert "cannot be written" in failure(run("export", project, str(tmp_path / "file" / "below")))

    async def another(store: Store) -> None:
        await store.projects.create((await store.bootstrap()).organization.id, "Support")

    in_store(settings, another)
    line = failure(run("export", "Support", str(tmp_path / "made")))
    assert "several projects 'Support'" in line
    assert project in line
