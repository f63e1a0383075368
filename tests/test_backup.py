"""Backups as docs/operations.md has them: its own lines are run on real databases, and what comes back is compared."""

import asyncio
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx2
import pytest

from client.errors import PromptClosed
from client.peer import Prompt, connect
from load.servers.postgres_programs import how_to_run
from tests.conftest import StartServer
from tests.support.rest import Rest
from tests.support.server import ServerProcess
from tests.support.source import ROOT
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
SOUND = "Everything that is stored is sound."
WRITTEN_BEFORE = 40


def documented(heading: str, language: str = "sh") -> list[str]:
    """Return the commands below a heading of the manual."""
    found = re.search(rf"^###? {re.escape(heading)}$(.*?)(?=^##|\Z)", OPERATIONS, re.MULTILINE | re.DOTALL)
    assert found, f"there is no section {heading!r}"
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", found[1], re.MULTILINE | re.DOTALL)
    assert blocks, f"section {heading!r} has no commands"
    return blocks


async def run(commands: str, directory: Path, environment: Mapping[str, str]) -> str:
    """Run commands of the manual in a shell, as a person would; answers what they printed."""
    programs = directory / "programs"
    programs.mkdir(exist_ok=True)
    # The commands that the manual names, from this environment.
    for name, command in (("promptroom", [sys.executable, "-m", "server"]), ("python3", [sys.executable])):
        script = programs / name
        script.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
        script.chmod(0o755)
    path = os.pathsep.join([str(programs), environment["PATH"]])
    done = await asyncio.to_thread(
        subprocess.run,
        ["sh", "-eu", "-c", commands],
        cwd=directory,
        env={**environment, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def new_prompt(server: ServerProcess, token: str) -> UUID:
    async with httpx2.AsyncClient(trust_env=False) as http:
        return await Rest(http, server.base_url, token).new_prompt("a prompt", "")


async def live(server: ServerProcess, token: str, prompt_id: UUID) -> str:
    async with httpx2.AsyncClient(trust_env=False) as http:
        return str(await Rest(http, server.base_url, token).live(prompt_id))


async def write(prompt: Prompt, first: int, last: int) -> None:
    for number in range(first, last):
        await prompt.insert(len(prompt.text), f"{number};")
    await prompt.wait_saved()


class Typing:
    """Somebody who types on while a backup is made."""

    def __init__(self, prompt: Prompt) -> None:
        self._prompt = prompt
        self._done = asyncio.Event()
        self._task = asyncio.create_task(self._type())

    async def _type(self) -> int:
        number = WRITTEN_BEFORE
        while not self._done.is_set():
            await write(self._prompt, number, number + 1)
            number += 1
        return number

    async def stop(self) -> int:
        """Stop, when at least something was typed, and return how much there is in all."""
        await wait_until(lambda: self._prompt.text.count(";") > WRITTEN_BEFORE, what="something typed meanwhile")
        self._done.set()
        return await self._task


def numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(";") if number]


async def backed_up_under_typing(
    server: ServerProcess, backup: str, environment: Mapping[str, str]
) -> tuple[str, UUID, int]:
    """Make a backup while somebody types; answers a token, the prompt, and how much was typed in all."""
    token = await server.token("ada@example.org")
    prompt_id = await new_prompt(server, token)
    async with connect(server.base_url, prompt_id, token=token) as prompt:
        await write(prompt, 0, WRITTEN_BEFORE)
        typing = Typing(prompt)
        await run(backup, server.state_directory, environment)
        return token, prompt_id, await typing.stop()


def assert_is_of_one_moment(text: str, written: int) -> None:
    """What was acknowledged before the backup began is there, and nothing without what was written before it."""
    there = numbers(text)
    assert there == list(range(len(there)))
    assert WRITTEN_BEFORE <= len(there) <= written


def in_var(home: Path) -> str:
    """The DATABASE_URL of a file where the manual's commands look for it."""
    return f"sqlite+aiosqlite:///{home}/var/promptroom.db"


async def test_an_sqlite_file_is_copied_while_it_is_written_and_put_back(
    start_server: StartServer, tmp_path: Path
) -> None:
    server = await start_server(state_directory=tmp_path, database_url=in_var(tmp_path))
    backup, restore = documented("SQLite")
    token, prompt_id, written = await backed_up_under_typing(server, backup, server.environment)
    await server.terminate()
    assert SOUND in await run(restore, tmp_path, server.environment)
    assert (tmp_path / "promptroom-backup.db").stat().st_mode & 0o077 == 0, "others can read the backup"
    await server.start()
    assert_is_of_one_moment(await live(server, token, prompt_id), written)


async def test_a_stopped_servers_files_are_a_backup(start_server: StartServer, tmp_path: Path) -> None:
    server = await start_server()
    token = await server.token("ada@example.org")
    prompt_id = await new_prompt(server, token)
    async with connect(server.base_url, prompt_id, token=token) as prompt:
        await write(prompt, 0, WRITTEN_BEFORE)
        server.kill()
    copied = tmp_path / "copied"
    copied.mkdir()
    for name in ("promptroom.db", "promptroom.db-wal", "jwt_secret_key"):
        shutil.copy2(server.state_directory / name, copied)
    again = await start_server(state_directory=copied)
    assert numbers(await live(again, token, prompt_id)) == list(range(WRITTEN_BEFORE))


def for_postgres(database_url: str, directory: Path) -> dict[str, str]:
    """The environment of somebody who has PostgreSQL's programs, and a DATABASE_URL that they understand."""
    programs, _, _ = how_to_run(directory)
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    return {**os.environ, "DATABASE_URL": database_url.replace("postgresql+asyncpg:", "postgresql:"), "PATH": path}


async def test_a_postgresql_database_is_dumped_while_it_is_written_and_restored_beside_itself(
    start_server: StartServer, postgres_url: str, tmp_path: Path
) -> None:
    environment = for_postgres(postgres_url, tmp_path)
    keys = {"JWT_SECRET_KEY": "the same for every node, 32 bytes"}
    stopped = ServerProcess(tmp_path / "migrating", database_url=postgres_url)
    stopped.state_directory.mkdir()
    await stopped.command("migrate")
    server = await start_server(database_url=postgres_url, environment=keys)
    backup, restore = documented("PostgreSQL")
    token, prompt_id, written = await backed_up_under_typing(server, backup, environment)
    restored_url = f"{postgres_url.rpartition('/')[0]}/promptroom_restored"
    try:
        assert SOUND in await run(restore, server.state_directory, environment | keys)
        restored = await start_server(database_url=restored_url, environment=keys)
        assert_is_of_one_moment(await live(restored, token, prompt_id), written)
        restored.kill()
    finally:
        connection = await asyncpg.connect(environment["DATABASE_URL"])
        await connection.execute("DROP DATABASE IF EXISTS promptroom_restored WITH (FORCE)")
        await connection.close()


async def comes_back(prompt: Prompt) -> int | None:
    """Wait until a client is in step with the server again; answers the code where the server does not let it in."""
    try:
        await prompt.wait_synced()
    except PromptClosed as closed:
        return closed.code
    return None


@pytest.mark.parametrize(("epoch_is_new", "code", "kept"), [(False, None, 4), (True, 4409, 2)])
async def test_open_tabs_bring_back_what_was_lost_unless_the_epoch_is_new(
    start_server: StartServer, tmp_path: Path, *, epoch_is_new: bool, code: int | None, kept: int
) -> None:
    server = await start_server(state_directory=tmp_path, database_url=in_var(tmp_path))
    token = await server.token("ada@example.org")
    prompt_id = await new_prompt(server, token)
    backup, restore = documented("SQLite")
    with suppress(PromptClosed):
        async with connect(server.base_url, prompt_id, token=token) as prompt:
            await write(prompt, 0, 2)
            await run(backup, tmp_path, server.environment)
            await write(prompt, 2, 4)
            server.kill()
            await wait_until(lambda: not prompt.synced, what="the client to notice")
            await run(restore, tmp_path, server.environment)
            if epoch_is_new:
                change(tmp_path, *documented("What people still have open", "sql"))
            await server.start()
            assert await comes_back(prompt) == code
    assert numbers(await live(server, token, prompt_id)) == list(range(kept))


def change(home: Path, statement: str) -> None:
    with closing(sqlite3.connect(home / "var" / "promptroom.db")) as database, database:
        database.execute(statement)


async def test_a_schema_goes_back_as_the_manual_says(postgres_url: str, tmp_path: Path) -> None:
    (back,) = documented("Upgrading")
    server = ServerProcess(tmp_path, database_url=postgres_url)
    await server.command("migrate")
    connection = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
    try:
        await run(back, tmp_path, server.environment)
        assert await connection.fetchval("SELECT version_num FROM alembic_version") == "0001"
        assert "newest schema" in await server.command("migrate")
    finally:
        await connection.close()
    assert SOUND in await server.command("fsck")
