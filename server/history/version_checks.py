"""Are the versions of a prompt what was stored? Every commit and every text is hashed again.

A commit that was imported keeps its id, and with it the seq it had where it was made. Such a version is held against
the journal: the entry it is said to be has to come to its text.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from dulwich.errors import ObjectFormatException
from dulwich.objects import Blob, Commit

from crdt.document import Document
from crdt.errors import CrdtError
from persistence.errors import StoreDamaged
from server.history.git_objects import blob_id, tree_of
from server.rebuild import read_stored

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from persistence.store import Store
    from persistence.versions import Version

_AT_ONCE: Final = 100
_SEQ: Final = "Promptroom-Seq: "


async def check_versions(store: Store, prompt_id: UUID) -> list[str]:
    """Answers what is wrong with the versions of one prompt, one line each. Raises StoreUnavailable."""
    commits = [f"prompt {prompt_id}: {each}" for each in await _check_commits(store, prompt_id)]
    return commits + [f"prompt {prompt_id}: {each}" for each in await _check_texts(store, prompt_id)]


async def _check_commits(store: Store, prompt_id: UUID) -> list[str]:
    findings: list[str] = []
    elsewhere: list[Version] = []
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
            elif not Commit.from_string(data).message.endswith(f"\n{_SEQ}{version.seq}\n".encode()):
                elsewhere.append(version)
        if len(part) < _AT_ONCE:
            return findings + (await _check_against_journal(store, prompt_id, elsewhere) if elsewhere else [])
        number = part[-1][0].number


async def _check_against_journal(store: Store, prompt_id: UUID, elsewhere: Sequence[Version]) -> list[str]:
    wanted = {version.seq for version in elsewhere}
    document, found = Document(), dict[int, str]()
    try:
        for entry in (await read_stored(store, prompt_id, until=max(wanted), with_checkpoint=False)).entries:
            document.apply([entry.update])
            if entry.seq in wanted:
                found[entry.seq] = blob_id(document.text)
    except CrdtError as error:
        return [f"the versions cannot be held against the journal ({error.code})"]
    return [
        f"version {version.number} ({version.id}) has another seq than its commit says, and that entry another text"
        for version in elsewhere
        if found.get(version.seq) != version.blob_id
    ]


async def _check_texts(store: Store, prompt_id: UUID) -> list[str]:
    findings: list[str] = []
    for text_id in await store.versions.blob_ids(prompt_id):
        try:
            content = await store.versions.content(prompt_id, text_id)
        except StoreDamaged:
            findings.append(f"the text {text_id} cannot be read")
            continue
        blob = await asyncio.to_thread(Blob.from_string, content)
        if blob.id.decode() != text_id:
            findings.append(f"the text {text_id} does not come to its id")
    return findings


def _problem(version: Version, data: bytes) -> str | None:
    """Answers what is wrong with one commit, or with what stands beside it."""
    try:
        commit = Commit.from_string(data)
        if commit.id.decode() != version.id:
            return "does not come to its id"
        return difference(version, commit)
    except (ObjectFormatException, ValueError) as error:
        return f"is not a commit ({error})"


def difference(version: Version, commit: Commit) -> str | None:
    """Answers in what a version is not what its commit says; None where it is. The seq may be that of another place."""
    message, _, trailers = commit.message.decode().rpartition("\n\n")
    *co_authors, seq = trailers.removesuffix("\n").split("\n") if trailers else []
    named = [line.removeprefix("Co-authored-by: ").rpartition(" <")[0] for line in co_authors]
    said = {
        "another text": commit.tree == tree_of(version.path, version.blob_id).id,
        "another parent": [each.decode() for each in commit.parents] == list(filter(None, [version.parent_id])),
        "another author": commit.author.decode().rpartition(" <")[0] == version.author.name,
        "other co-authors": named == [each.name for each in version.co_authors],
        "another time": commit.commit_time == commit.author_time == version.created_at.timestamp(),
        "another message": message == version.message,
        "another seq": seq.startswith(_SEQ) and seq.removeprefix(_SEQ).isdecimal(),
    }
    different = [what for what, is_same in said.items() if not is_same]
    return f"has {different[0]} than its commit says" if different else None
