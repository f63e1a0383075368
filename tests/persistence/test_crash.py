"""`kill -9` under load: what was acknowledged is stored, and the next process starts at once."""

import asyncio
import random
import sys
from pathlib import Path

import pytest

from persistence.store import Store
from tests.persistence.conftest import home_of

ROOT = Path(__file__).parents[2]


async def killed_appender(url: str, prompt_id: object, user_id: object, label: str, lines: int) -> dict[int, bytes]:
    """Let a process append until it has acknowledged so many edits, kill it, and return all it had acknowledged."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.persistence.appender", url, str(prompt_id), str(user_id), label),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    said = [await process.stdout.readline() for _ in range(lines)]
    process.kill()
    said += (await process.stdout.read()).splitlines(keepends=True)
    await process.wait()
    # The kill may cut the last line short; what is cut was not acknowledged.
    pairs = [line.split() for line in said if line.endswith(b"\n")]
    return {int(seq): update for seq, update in pairs}


@pytest.mark.faults
async def test_every_append_that_resolved_is_there_after_a_kill(store_url: str, rng: random.Random) -> None:
    store = await Store.open(store_url)
    home = await home_of(store)
    prompt = await home.prompt()
    await store.close()
    acknowledged: dict[int, bytes] = {}
    for life in range(4):
        said = await killed_appender(store_url, prompt.id, home.owner_id, str(life), rng.randint(1, 200))
        assert said
        acknowledged |= said

    store = await Store.open(store_url)
    entries = await store.journal.read(prompt.id)
    stored = {entry.seq: entry.update for entry in entries}
    assert {seq: stored.get(seq) for seq in acknowledged} == acknowledged
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    assert len(set(stored.values())) == len(stored)
    assert [finding async for finding in store.verify()] == []
    await store.close()
