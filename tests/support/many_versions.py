"""Many versions at once: real commits, stored as the store stores them, without a transaction for each."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import insert, select

from persistence.labels import LabelChange
from persistence.store import Store
from persistence.tables import blobs, versions
from server.history.git_objects import Signature, blob_id, make_commit

START = 1_800_000_000
_ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Stored:
    """A version, as REST and Git have to show it."""

    id: str
    text: str


async def add_versions(store: Store, prompt_id: UUID, texts: Sequence[str], *, author: str = "Ada") -> list[Stored]:
    """Store a version of each text after those that the prompt has."""
    prompt = await store.prompts.get(prompt_id)
    latest = await store.versions.latest(prompt_id)
    parent, number = (latest.id, latest.number) if latest is not None else (None, 0)
    path = f"{prompt.slug}.prompt"
    made: list[Stored] = []
    rows: list[dict[str, object]] = []
    contents: dict[str, bytes] = {}
    for text in texts:
        number += 1
        blob = blob_id(text)
        commit = make_commit(
            path=path,
            blob=blob,
            parent_id=parent,
            author=Signature.of(prompt.created_by, author, f"{author.lower()}@example.org"),
            co_authors=(),
            message=f"Version {number}",
            seq=1,
            seconds=START + number,
        )
        contents[blob] = text.encode()
        rows.append(
            {
                "prompt_id": prompt_id,
                "number": number,
                "id": commit.id,
                "seq": 1,
                "blob_id": blob,
                "parent_id": parent,
                "path": path,
                "kind": "manual",
                "message": f"Version {number}",
                "author_id": prompt.created_by,
                "author_name": author,
                "co_authors": [],
                "created_at": datetime.fromtimestamp(START + number, UTC),
                "data": commit.data,
            }
        )
        parent = commit.id
        made.append(Stored(commit.id, text))
    await _insert(store, prompt_id, rows, contents)
    return made


async def point(store: Store, prompt_id: UUID, name: str, version_id: str) -> None:
    """Create or move a label."""
    prompt = await store.prompts.get(prompt_id)
    change = LabelChange(prompt.created_by, version_id=version_id)
    await store.labels.change(prompt_id, name, change, permit=lambda _: None)


async def _insert(store: Store, prompt_id: UUID, rows: Sequence[dict[str, object]], contents: dict[str, bytes]) -> None:
    async with store.database.write() as connection:
        known = set(await connection.scalars(select(blobs.c.id).where(blobs.c.prompt_id == prompt_id)))
        new = [
            {"prompt_id": prompt_id, "id": blob, "data": zlib.compress(content)}
            for blob, content in contents.items()
            if blob not in known
        ]
        for some, table in ((new, blobs), (rows, versions)):
            for start in range(0, len(some), _ROWS_AT_ONCE):
                await connection.execute(insert(table), list(some[start : start + _ROWS_AT_ONCE]))
