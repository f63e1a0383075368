"""Are the versions of a prompt what was stored? Every commit and every text is hashed again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from dulwich.errors import ObjectFormatException
from dulwich.objects import Blob, Commit

from persistence.errors import StoreDamaged
from server.history.git_objects import tree_of

if TYPE_CHECKING:
    from uuid import UUID

    from persistence.store import Store
    from persistence.versions import Version

_AT_ONCE: Final = 100


async def check_versions(store: Store, prompt_id: UUID) -> list[str]:
    """Answers what is wrong with the versions of one prompt, one line each. Raises StoreUnavailable."""
    commits = [f"prompt {prompt_id}: {each}" for each in await _check_commits(store, prompt_id)]
    return commits + [f"prompt {prompt_id}: {each}" for each in await _check_texts(store, prompt_id)]


async def _check_commits(store: Store, prompt_id: UUID) -> list[str]:
    findings: list[str] = []
    number = 0
    while True:
        try:
            part = await store.versions.with_commits(prompt_id, after=number, limit=_AT_ONCE)
        except (KeyError, TypeError, ValueError) as error:
            return [*findings, f"the versions after {number} cannot be read ({error})"]
        for version, data in part:
            problem = _problem(version, data)
            if problem is not None:
                findings.append(f"version {version.number} ({version.id}) {problem}")
        if len(part) < _AT_ONCE:
            return findings
        number = part[-1][0].number


async def _check_texts(store: Store, prompt_id: UUID) -> list[str]:
    findings: list[str] = []
    for blob_id in await store.versions.blob_ids(prompt_id):
        try:
            content = await store.versions.content(prompt_id, blob_id)
        except StoreDamaged:
            findings.append(f"the text {blob_id} cannot be read")
            continue
        blob = await asyncio.to_thread(Blob.from_string, content)
        if blob.id.decode() != blob_id:
            findings.append(f"the text {blob_id} does not come to its id")
    return findings


def _problem(version: Version, data: bytes) -> str | None:
    """Answers what is wrong with one commit, or with what stands beside it."""
    try:
        commit = Commit.from_string(data)
        if commit.id.decode() != version.id:
            return "does not come to its id"
        return _difference(version, commit)
    except (ObjectFormatException, ValueError) as error:
        return f"is not a commit ({error})"


def _difference(version: Version, commit: Commit) -> str | None:
    message, _, trailers = commit.message.decode().rpartition("\n\n")
    *co_authors, seq = trailers.splitlines()
    named = [line.removeprefix("Co-authored-by: ").rpartition(" <")[0] for line in co_authors]
    said = {
        "another text": commit.tree == tree_of(version.path, version.blob_id).id,
        "another parent": [each.decode() for each in commit.parents] == list(filter(None, [version.parent_id])),
        "another author": commit.author.decode().rpartition(" <")[0] == version.author.name,
        "other co-authors": named == [each.name for each in version.co_authors],
        "another time": commit.commit_time == commit.author_time == version.created_at.timestamp(),
        "another message": message == version.message,
        "another seq": seq == f"Promptroom-Seq: {version.seq}",
    }
    different = [what for what, is_same in said.items() if not is_same]
    return f"has {different[0]} than its commit says" if different else None
