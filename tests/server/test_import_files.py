"""`promptroom import`: files become prompts, in both databases, beside a server or without one."""

import asyncio
from pathlib import Path

import pytest

from persistence.store import OpenMode, Store, migrate
from server import cli
from server.fsck import check_everything
from server.limits import MAX_CONTENT_LENGTH
from tests.server.test_cli import failure, run

FILES = {"greeting.prompt": "Say {{greeting}} 😀\n", "empty.prompt": "", "Größe & more.prompt": "line\n\u2028\n\nend"}


@pytest.fixture
def database(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A migrated database that the commands find in the environment."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setattr(cli, "configure_logging", lambda **_: None)
    asyncio.run(migrate(database_url))
    return database_url


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory `Support` with three prompts and something else."""
    made = tmp_path / "Support"
    made.mkdir()
    for name, text in FILES.items():
        (made / name).write_bytes(text.encode())
    (made / "README.md").touch()
    (made / "below.prompt").mkdir()
    return made


async def stored(database_url: str) -> tuple[list[str], list[str]]:
    """Answers the names of all prompts, and what fsck finds."""
    store = await Store.open(database_url, mode=OpenMode.COMMAND)
    try:
        organization = (await store.bootstrap()).organization
        prompts = (await store.prompts.list(organization.id)).items
        return sorted(prompt.name for prompt in prompts), await check_everything(store)
    finally:
        await store.close()


def test_what_is_imported_is_what_is_exported(database: str, directory: Path, tmp_path: Path) -> None:
    result = run("import", str(directory))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "3 prompts are in the project Support.\n"
    assert asyncio.run(stored(database)) == (["Größe & more", "empty", "greeting"], [])
    assert run("export", "Support", str(tmp_path / "out")).exit_code == 0
    exported = {path.name: path.read_bytes().decode() for path in (tmp_path / "out").iterdir()}
    assert exported == {name.replace("Größe & more", "groe-more"): text for name, text in FILES.items()}


def test_it_goes_into_the_project_that_is_named_and_line_ends_are_those_of_the_editor(
    database: str, directory: Path, tmp_path: Path
) -> None:
    assert run("import", str(directory), "--project", "Sales").exit_code == 0
    more = tmp_path / "more"
    more.mkdir()
    (more / "offer.prompt").write_bytes(b"a\r\nb\r")
    assert run("import", str(more), "--project", "Sales").stdout == "1 prompt is in the project Sales.\n"
    assert run("export", "Sales", str(tmp_path / "out")).stdout.startswith("4 prompts are")
    assert (tmp_path / "out" / "offer.prompt").read_bytes() == b"a\nb\n"
    assert asyncio.run(stored(database))[1] == []


def test_where_one_cannot_be_taken_nothing_is_created(database: str, directory: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    assert "has no .prompt files" in failure(run("import", str(tmp_path / "none")))
    assert "cannot be read" in failure(run("import", str(tmp_path / "nowhere")))
    assert "1 to 200 characters" in failure(run("import", str(directory), "--project", ""))
    assert "no project" in failure(run("import", str(directory), "--project", "0" * 32))
    bad = directory / "zz.prompt"
    bad.write_bytes(b"ab\xff")
    assert "zz.prompt is not UTF-8: byte 2 is 0xff" in failure(run("import", str(directory)))
    bad.write_text("a" * (MAX_CONTENT_LENGTH + 1))
    assert "at most 1000000" in failure(run("import", str(directory)))
    bad.unlink()
    assert asyncio.run(stored(database)) == ([], [])
    assert run("import", str(directory)).exit_code == 0
    assert "has a prompt" in failure(run("import", str(directory)))
    assert len(asyncio.run(stored(database))[0]) == len(FILES)
