"""`promptroom import` of a repository that `promptroom export --git` made: every version, under the id it had.

The journal is made anew: one entry for each version, of what differs from the version before it, at the time of its
commit. Authors are members of the organization by their addresses; what others made is the importer's, under the names
of those who made it.
"""

from __future__ import annotations

import asyncio
import re
import struct
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from random import SystemRandom
from typing import TYPE_CHECKING, Final
from uuid import UUID

from dulwich.errors import ChecksumMismatch, FileFormatException, NotGitRepository
from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.repo import Repo

from crdt.diff import minimal_edits, normalize_newlines
from crdt.document import edit_update, initial_state, merge, new_client_id
from persistence.edits import Edit, EditKind
from persistence.errors import NotFound
from persistence.imports import PromptHistory
from persistence.labels import MAX_LABELS
from persistence.versions import Author, NewVersion, Version, VersionKind
from server.credentials import Refused
from server.history.git_objects import blob_id, clean_message
from server.history.label_rules import is_label_name
from server.history.version_checks import difference
from server.import_files import Imported, project_for
from server.limits import MAX_CONTENT_LENGTH, MAX_DOCUMENT_BYTES

if TYPE_CHECKING:
    from pathlib import Path

    from dulwich.refs import Ref

    from persistence.store import Store

_BRANCH: Final = re.compile(rb"refs/(?:heads|remotes/origin)/prompts/([a-z0-9-]{1,80})")
_FILE: Final = re.compile(r"[a-z0-9-]{1,80}\.prompt")
_PERSON: Final = re.compile(r"(?:Co-authored-by: )?([^<>]*) <([^<>]*)>")

# What reading a damaged repository comes to.
_UNREADABLE: Final = (
    *(AssertionError, ChecksumMismatch, FileFormatException, LookupError, OSError, ValueError),
    *(struct.error, zlib.error),
)


@dataclass(frozen=True, slots=True)
class _Chain:
    """The commits of a prompt, the oldest first, each with the name of its file and its text, and the labels."""

    slug: str
    commits: Sequence[tuple[Commit, str, str]]
    labels: Mapping[str, str]


def is_exported(directory: Path) -> bool:
    """Answers whether a directory is a repository with branches of prompts. Raises Refused."""
    try:
        with Repo(str(directory)) as repository:
            return any(_BRANCH.fullmatch(ref) for ref in repository.refs.allkeys())
    except NotGitRepository:
        return False
    except _UNREADABLE as error:
        raise Refused(f"{directory} cannot be read: {error}; git fsck may say more") from error


async def import_repository(store: Store, directory: Path, *, project: str) -> Imported:
    """Creates a prompt of every branch `prompts/<slug>`, with its versions and labels.

    Everything is read before anything is created. Arguments: as of `import_files`. Raises Refused and NotFound.
    """
    try:
        chains = await asyncio.to_thread(_read_all, directory)
    except _UNREADABLE as error:
        raise Refused(f"{directory} cannot be read: {error}; git fsck may say more") from error
    home = await store.bootstrap()
    people = _People(store, home.organization.id, home.owner.id)
    histories = [await _history(chain, people) for chain in chains]
    found = await project_for(store, project, [chain.slug for chain in chains])
    for history in histories:
        await store.imports.create(
            history, organization_id=found.organization_id, project_id=found.id, user_id=home.owner.id
        )
    return Imported(found, tuple(history.name for history in histories))


class _People:
    """Who stands behind the signatures of commits."""

    def __init__(self, store: Store, organization_id: UUID, importer_id: UUID) -> None:
        self._store = store
        self._organization_id = organization_id
        self._importer_id = importer_id

    async def author(self, signature: str) -> Author:
        """Answers a member by the address in a signature, or the importer; the name is that of the signature."""
        found = _PERSON.fullmatch(signature)
        if found is None:
            raise Refused(f"{signature!r} is not a name with an address")
        name, email = found.groups()
        user = await self._store.accounts.user_by_email(email)
        user_id = user.id if user is not None else None
        with suppress(ValueError, NotFound):
            user_id = user_id or (await self._store.accounts.get_user(UUID(email.removesuffix("@users.promptroom")))).id
        if user_id is None or await self._store.accounts.membership(self._organization_id, user_id) is None:
            user_id = self._importer_id
        return Author(user_id, name)


async def _history(chain: _Chain, people: _People) -> PromptHistory:
    edits: list[tuple[Edit, datetime]] = []
    versions: list[NewVersion] = []
    clients: dict[UUID, int] = {}
    state, before = b"", ""
    for commit, path, text in chain.commits:
        try:
            version = await _version(chain.slug, commit, path, text, people, seq=len(edits) + 1, before=versions)
        except (OverflowError, ValueError) as error:
            raise Refused(f"{chain.slug}: commit {commit.id.decode()} cannot be read: {error}") from error
        client_id = clients.setdefault(version.author.id, new_client_id(SystemRandom()))
        at = max(version.created_at, edits[-1][1]) if edits else version.created_at
        if not edits:
            state = await asyncio.to_thread(initial_state, text, client_id)
            edits.append((Edit(state, version.author.id, EditKind.CREATED), at))
        else:
            changes = await asyncio.to_thread(minimal_edits, before, text)
            if not changes:
                raise Refused(f"{chain.slug}: commit {version.id} has the text of the one before it")
            update = await asyncio.to_thread(edit_update, state, changes, client_id)
            state = await asyncio.to_thread(merge, [state, update])
            edits.append((Edit(update, version.author.id, EditKind.API), at))
        if len(state) > MAX_DOCUMENT_BYTES:
            raise Refused(f"{chain.slug}: its history is larger than a prompt may be")
        versions.append(version)
        before = text
    bindings = {client_id: user_id for user_id, client_id in clients.items()}
    return PromptHistory(chain.slug, edits, bindings, versions, chain.labels)


async def _version(
    slug: str, commit: Commit, path: str, text: str, people: _People, *, seq: int, before: Sequence[NewVersion]
) -> NewVersion:
    said, _, trailers = commit.message.decode().rpartition("\n\n")
    kept = {
        "id": commit.id.decode(),
        "seq": seq,
        "blob_id": blob_id(text),
        "parent_id": before[-1].id if before else None,
        "path": path,
        "kind": VersionKind.MANUAL,
        "message": said,
        "author": await people.author(commit.author.decode()),
        "co_authors": tuple([await people.author(line) for line in trailers.splitlines()[:-1]]),
        "created_at": datetime.fromtimestamp(commit.commit_time, UTC),
    }
    problem = difference(Version(**kept, number=len(before) + 1), commit)
    if problem is not None or clean_message(said) != said:
        raise Refused(f"{slug}: commit {kept['id']} is not one that Promptroom made ({problem or 'its message'})")
    return NewVersion(**kept, data=commit.as_raw_string(), content=text.encode())


def _read_all(directory: Path) -> list[_Chain]:
    with Repo(str(directory)) as repository:
        refs = repository.get_refs()
        heads = {found[1].decode(): head for ref, head in refs.items() if (found := _BRANCH.fullmatch(ref))}
        return [_read(repository, refs, slug, head) for slug, head in sorted(heads.items())]


def _read(repository: Repo, refs: Mapping[Ref, ObjectID], slug: str, head: ObjectID) -> _Chain:
    commits: list[tuple[Commit, str, str]] = []
    following: ObjectID | None = head
    while following is not None:
        # Made anew of its bytes: the id is what they come to, not what they were found by.
        commit = Commit.from_string(repository[following].as_raw_string())
        if commit.id != following or len(commit.parents) > 1 or b"\0" in commit.as_raw_string():
            raise Refused(f"{slug}: commit {following.decode()} is not one that Promptroom made")
        commits.append((commit, *_file(repository, slug, commit)))
        following = commit.parents[0] if commit.parents else None
    prefix = f"refs/tags/{slug}/"
    tags = [(ref.decode().removeprefix(prefix), to) for ref, to in refs.items() if ref.startswith(prefix.encode())]
    ids = {commit.id for commit, _, _ in commits}
    for name, to in tags:
        if not is_label_name(name) or to not in ids:
            raise Refused(f"{slug}: the tag {slug}/{name} is not a label of one of its versions")
    if len(tags) > MAX_LABELS:
        raise Refused(f"{slug} has {len(tags)} labels; a prompt has at most {MAX_LABELS}")
    return _Chain(slug, commits[::-1], {name: to.decode() for name, to in tags})


def _file(repository: Repo, slug: str, commit: Commit) -> tuple[str, str]:
    tree = repository[commit.tree]
    entries = list(tree.items()) if isinstance(tree, Tree) else []
    names = [(entry.path or b"").decode() for entry in entries]
    blob = repository[entries[0].sha] if len(entries) == 1 and entries[0].sha is not None else None
    if not isinstance(blob, Blob) or not _FILE.fullmatch(names[0]):
        raise Refused(f"{slug}: commit {commit.id.decode()} does not hold one prompt")
    text = blob.as_raw_string().decode()
    if len(text) > MAX_CONTENT_LENGTH or normalize_newlines(text) != text:
        raise Refused(f"{slug}: commit {commit.id.decode()} holds a text that a prompt cannot have")
    return names[0], text
