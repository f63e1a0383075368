"""The command line, in this process: what it prints, and with which code it ends."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from persistence.store import OpenMode, Store, migrate
from server import cli, serving
from server.access import Role
from server.auth import Authenticator
from server.settings import Settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of a migrated database, which the commands find in the environment."""
    for name in ("DATABASE_URL", "HOST", "JWT_SECRET_KEY", "LOG_LEVEL", "PORT", "PUBLIC_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setattr(cli, "configure_logging", lambda **_: None)
    settings = Settings.from_environment()
    asyncio.run(migrate(settings.database_url))
    return settings


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, arguments)


def failure(result: Result) -> str:
    assert result.stdout == ""
    line = result.stderr.rstrip("\n")
    assert line.startswith("promptroom: ")
    assert "\n" not in line
    return line


def role_of(settings: Settings, token: str) -> Role:
    async def read() -> Role:
        store = await Store.open(settings.database_url, mode=OpenMode.COMMAND)
        try:
            return (await Authenticator(settings.jwt_secret, store, time.time).principal(token)).role
        finally:
            await store.close()

    return asyncio.run(read())


def test_what_a_setting_should_be_is_shown_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://u:hunter2@h/d")
    line = failure(run("fsck"))
    assert "DATABASE_URL has the scheme 'mysql'; it should be " in line
    assert "postgresql+asyncpg://user:password@host/database" in line
    assert "hunter2" not in line


def test_a_token_is_all_that_is_printed(settings: Settings) -> None:
    result = run("token", "--email", "Ada@Example.org", "--create")
    assert result.exit_code == 0, result.stderr
    assert role_of(settings, result.stdout.strip()) is Role.EDITOR
    again = run("token", "--email", "ada@example.org", "--role", "viewer", "--ttl", "30m")
    assert role_of(settings, again.stdout.strip()) is Role.VIEWER


def test_a_created_user_has_the_role_that_was_asked_for(settings: Settings) -> None:
    token = run("token", "--email", "o@example.org", "--role", "owner", "--create").stdout.strip()
    assert role_of(settings, token) is Role.OWNER


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["token", "--email", "nobody@example.org"], 1, "--create makes the user"),
        (["token", "--email", "nobody", "--create"], 1, "not an e-mail address"),
        (["token", "--email", "a@b.c", "--ttl", "soon"], 2, "--ttl is 'soon'"),
        (["token", "--email", "a@b.c", "--ttl", "0s"], 2, "--ttl"),
        (["token", "--email", "a@b.c", "--ttl", "367d"], 2, "at most 366d"),
        (["link", "--email", "nobody@example.org"], 1, "nobody has the address"),
    ],
)
def test_what_cannot_be_done_is_one_line(arguments: Sequence[str], code: int, says: str) -> None:
    result = run(*arguments)
    assert result.exit_code == code
    assert says in failure(result)


@pytest.mark.usefixtures("settings")
def test_a_token_cannot_say_more_than_the_membership() -> None:
    run("token", "--email", "v@example.org", "--role", "viewer", "--create")
    result = run("token", "--email", "v@example.org", "--role", "owner")
    assert result.exit_code == 1
    assert "v@example.org is viewer" in failure(result)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1_800), ("1h", 3_600), ("7d", 604_800), ("45", 45)])
def test_durations_are_read(text: str, seconds: int) -> None:
    assert cli.read_duration(text) == seconds


@pytest.mark.usefixtures("settings")
def test_a_link_is_for_the_owner_unless_it_is_for_somebody() -> None:
    run("token", "--email", "ada@example.org", "--create")
    links = [run("link").stdout.strip(), run("link", "--email", "ada@example.org").stdout.strip()]
    assert len(set(links)) == 2
    assert all(link.startswith("http://127.0.0.1:8000/signin#ticket=") for link in links)


@pytest.mark.usefixtures("settings")
def test_a_sound_store_is_said_to_be_sound() -> None:
    result = run("fsck")
    assert (result.exit_code, result.stdout.strip()) == (0, "Everything that is stored is sound.")


@pytest.mark.usefixtures("settings")
def test_an_unsound_store_ends_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async def findings(_: Store) -> list[str]:
        return ["prompt [bold]1[/bold]: bad"]

    monkeypatch.setattr("server.fsck.check_everything", findings)
    result = run("fsck")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == ["prompt [bold]1[/bold]: bad", "1 problem found."]


@pytest.mark.usefixtures("settings")
def test_without_a_database_a_command_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "empty"))
    result = run("token", "--email", "a@b.c", "--create")
    assert result.exit_code == 1
    assert "promptroom migrate" in failure(result)
    assert run("migrate").exit_code == 0
    assert run("token", "--email", "a@b.c", "--create").exit_code == 0


@pytest.mark.usefixtures("settings")
def test_a_malformed_setting_ends_every_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_FORMAT", "xml")
    for arguments in (["serve"], ["migrate"], ["token", "--email", "a@b.c"], ["link"], ["fsck"]):
        result = run(*arguments)
        assert result.exit_code == 2
        assert "LOG_FORMAT is 'xml'" in failure(result)


def test_every_command_explains_itself() -> None:
    for arguments in ([], ["serve"], ["migrate"], ["token"], ["link"], ["fsck"]):
        assert run(*arguments, "--help").exit_code == 0


def test_a_second_signal_ends_the_process_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    codes: list[int] = []
    monkeypatch.setattr("os._exit", codes.append)
    server = serving.DrainingServer.__new__(serving.DrainingServer)
    server.should_exit = False
    server._ends_within = 10.0  # noqa: SLF001 - nothing else of it is needed, and nothing else is made
    deadlines: list[float] = []
    monkeypatch.setattr(serving, "_end_within", deadlines.append)
    server.handle_exit(15, None)
    assert (server.should_exit, codes, deadlines) == (True, [], [10.0])
    server.handle_exit(2, None)
    assert codes == [130]
