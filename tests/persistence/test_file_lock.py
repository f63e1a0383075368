"""One process per SQLite file, and no lock that outlives its process."""

import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from persistence.address import DatabaseAddress
from persistence.errors import SchemaOutdated, StoreInUse
from persistence.file_lock import FileLock
from persistence.journal import Edit
from persistence.store import OpenMode, Store, migrate

HOLDER = """
import sys
from pathlib import Path
from persistence.file_lock import FileLock
FileLock(Path(sys.argv[1])).take()
print("held", flush=True)
sys.stdin.read()
"""

HOLDER_WITH_A_WORKER = """
import os, sys
from pathlib import Path
from persistence.file_lock import FileLock
FileLock(Path(sys.argv[1])).take()
if os.fork() == 0:
    print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "promptroom.db"


def hold_elsewhere(path: Path, program: str = HOLDER) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_another_process_is_refused_with_the_file_the_holder_and_what_to_do(path: Path) -> None:
    with hold_elsewhere(path) as holder:
        with pytest.raises(StoreInUse) as refused:
            FileLock(path).take()
        assert str(path) in str(refused.value)
        assert str(holder.pid) in str(refused.value)
        assert "stop it" in str(refused.value)
        holder.kill()


def test_a_process_that_was_killed_leaves_no_lock_behind(path: Path) -> None:
    with hold_elsewhere(path) as holder:
        holder.send_signal(signal.SIGKILL)
    lock = FileLock(path)
    lock.take()
    lock.release()


def test_the_same_process_cannot_take_it_twice(path: Path) -> None:
    first, second = FileLock(path), FileLock(path)
    first.take()
    with pytest.raises(StoreInUse, match=str(os.getpid())):
        second.take()
    first.release()
    first.release()
    second.take()
    second.release()


def test_a_worker_that_outlives_a_killed_server_does_not_keep_its_lock(path: Path) -> None:
    with hold_elsewhere(path, HOLDER_WITH_A_WORKER) as holder:
        holder.kill()
        holder.wait()
        lock = FileLock(path)
        lock.take()
        lock.release()
        # Closing the pipe, which `with` does, ends the worker.


async def test_a_second_store_of_the_same_file_is_refused_until_the_first_is_closed(sqlite_store_url: str) -> None:
    first = await Store.open(sqlite_store_url)
    with pytest.raises(StoreInUse):
        await Store.open(sqlite_store_url)
    await first.close()
    await (await Store.open(sqlite_store_url)).close()


async def test_a_command_may_read_and_administrate_beside_a_server_but_not_append(sqlite_store_url: str) -> None:
    server = await Store.open(sqlite_store_url)
    first = await server.bootstrap()
    command = await Store.open(sqlite_store_url, mode=OpenMode.COMMAND)
    assert (await command.bootstrap()).owner == first.owner
    ada = await command.accounts.create_user("Ada", email="ada@example.com")
    assert await server.accounts.user_by_email("ada@example.com") == ada
    with pytest.raises(StoreInUse):
        command.journal.append(uuid.uuid4(), [Edit(b"x", first.owner.id)])
    await command.close()
    await server.close()


async def test_migrating_needs_the_lock_only_when_there_is_something_to_change(sqlite_store_url: str) -> None:
    server = await Store.open(sqlite_store_url)
    await migrate(sqlite_store_url)
    await server.close()


async def test_a_store_that_could_not_be_opened_gives_the_lock_back(sqlite_url: str) -> None:
    DatabaseAddress.parse(sqlite_url).path.write_bytes(b"")
    for _ in range(2):
        with pytest.raises(SchemaOutdated, match="promptroom migrate"):
            await Store.open(sqlite_url)
