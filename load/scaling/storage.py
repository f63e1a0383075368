"""What an edit, and a checkpoint, takes on the disk."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from random import Random
from typing import Final

import asyncpg

from crdt.causality import Knowledge
from crdt.document import Document, canonical_state, new_client_id
from crdt.knowledge_bytes import encode_knowledge
from crdt.update import read_update
from load.recording.session import as_updates, recorded
from load.scaling.typing_crowd import gathered
from load.servers.promptroom import Promptroom
from load.servers.promptroom_postgres import PromptroomPostgres

_PROMPTS: Final = 200
_KEYS_PER_SECOND: Final = 1_000.0
# Of PostgreSQL: what the rows take, what their index takes, how many there are, and where the log stands.
_SIZES: Final = """
SELECT pg_table_size('journal') AS rows, pg_indexes_size('journal') AS index,
    (SELECT count(*) FROM journal) AS count, pg_current_wal_lsn() - '0/0'::pg_lsn AS log
"""


async def measure(seconds: float, seed: int) -> Mapping[str, float]:
    """Type into many prompts on either database, and look what it takes.

    Args:
        seconds: for how long is typed on each.
        seed: of every random choice.
    """
    return {**await _on_postgres(seconds, seed), **await _on_sqlite(seconds, seed), **_checkpoints(seed)}


async def _on_postgres(seconds: float, seed: int) -> Mapping[str, float]:
    random = Random(seed)
    async with PromptroomPostgres() as server:
        crowd = await gathered(server, _PROMPTS, 1, random)
        await crowd.type(_KEYS_PER_SECOND, 1.0, random)
        connection = await asyncpg.connect(server.database_url().replace("+asyncpg", ""))
        try:
            before = await connection.fetchrow(_SIZES)
            await crowd.type(_KEYS_PER_SECOND, seconds, random)
            after = await connection.fetchrow(_SIZES)
        finally:
            await connection.close()
        crowd.leave()
    if before is None or after is None:
        raise LookupError("PostgreSQL did not say")
    rows = after["count"] - before["count"]
    return {
        "postgres_row_bytes": (after["rows"] - before["rows"]) / rows,
        "postgres_index_bytes_per_row": (after["index"] - before["index"]) / rows,
        "postgres_log_bytes_per_row": float(after["log"] - before["log"]) / rows,
    }


async def _on_sqlite(seconds: float, seed: int) -> Mapping[str, float]:
    random = Random(seed)
    async with Promptroom() as server:
        crowd = await gathered(server, _PROMPTS, 1, random)
        await crowd.type(_KEYS_PER_SECOND, 1.0, random)
        before = await asyncio.to_thread(_file, server)
        keys = await crowd.type(_KEYS_PER_SECOND, seconds, random)
        after = await asyncio.to_thread(_file, server)
        crowd.leave()
    return {"sqlite_bytes_per_row": (after - before) / keys}


def _file(server: Promptroom) -> int:
    """How large the database is when everything stands in its file."""
    path = server.directory / "promptroom.db"
    with closing(sqlite3.connect(path, timeout=10.0)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
    return path.stat().st_size


def _checkpoints(seed: int) -> Mapping[str, float]:
    """Of a prompt in which two people have worked once, and of one in which ten pairs have."""
    random = Random(seed)
    updates: list[bytes] = []
    for _ in range(10):
        session = replace(recorded(), clients=(new_client_id(random), new_client_id(random)))
        updates += as_updates(session)[0]
    one, ten = updates[: len(recorded().keys)], updates
    payload = sum(map(len, one)) / len(one)
    return {
        "payload_bytes_per_edit": payload,
        "checkpoint_bytes_per_edit": _checkpoint(one) / len(one),
        "checkpoint_bytes_per_edit_of_ten_sessions": _checkpoint(ten) / len(ten),
        "text_bytes_per_edit": len(recorded().text.encode()) / len(one),
    }


def _checkpoint(updates: list[bytes]) -> int:
    document = Document()
    document.apply(updates)
    state = canonical_state(document.encode_state())
    return len(state) + len(encode_knowledge(Knowledge.of(read_update(state))))
