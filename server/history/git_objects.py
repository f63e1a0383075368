"""Blobs, trees and commits, byte for byte as Git makes them.

A version of a prompt is a commit whose tree holds one file. The id in REST is the id that `git log` shows, so nothing
here may change its mind: other bytes are another version.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dulwich.objects import Blob, Commit, ObjectID, Tree

from crdt.diff import normalize_newlines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

FILE_MODE: Final = 0o100644
# What Git takes off the ends of names and addresses (`crud` in its ident.c), and what it leaves out inside of them.
_AT_THE_ENDS: Final = "".join(map(chr, range(33))) + ".,:;<>\"\\'"
_NOWHERE: Final = re.compile(r"[\n<>\0]")
NOBODY: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Signature:
    """Who somebody is in a commit, as Git can write it."""

    name: str
    email: str

    @classmethod
    def of(cls, user_id: UUID, name: str, email: str | None) -> Signature:
        """Answers the signature of a user; one without an address gets one that nobody can have."""
        return cls(_clean(name) or NOBODY, _clean(email or "") or f"{user_id}@users.promptroom")

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


@dataclass(frozen=True, slots=True)
class MadeCommit:
    """A commit of one file: its id, its bytes without Git's header, and the ids of its tree and blob."""

    id: str
    data: bytes
    tree_id: str
    blob_id: str


def blob_of(text: str) -> Blob:
    """Answers the blob that holds a text."""
    blob: Blob = Blob.from_string(text.encode())
    return blob


def blob_id(text: str) -> str:
    """Answers the id of the blob that holds a text."""
    return blob_of(text).id.decode()


def tree_of(path: str, blob: str) -> Tree:
    """Answers the tree with one file; `blob` is the id of what the file holds."""
    tree = Tree()
    tree.add(path.encode(), FILE_MODE, ObjectID(blob.encode()))
    return tree


def make_commit(
    *,
    path: str,
    blob: str,
    parent_id: str | None,
    author: Signature,
    co_authors: Sequence[Signature],
    message: str,
    seq: int,
    seconds: int,
) -> MadeCommit:
    """Answers the commit of one text.

    Arguments: `path` is the name of its one file, `blob` the id of what that holds; `co_authors` are named in trailers;
    `seq` is the journal seq whose text it is; `seconds` since the epoch, in UTC.
    """
    commit = Commit()
    tree = tree_of(path, blob)
    commit.tree = tree.id
    commit.parents = [] if parent_id is None else [ObjectID(parent_id.encode())]
    commit.author = commit.committer = str(author).encode()
    commit.author_time = commit.commit_time = seconds
    commit.author_timezone = commit.commit_timezone = 0
    trailers = [f"Co-authored-by: {each}" for each in co_authors] + [f"Promptroom-Seq: {seq}"]
    commit.message = f"{clean_message(message)}\n\n{chr(10).join(trailers)}\n".encode()
    return MadeCommit(commit.id.decode(), commit.as_raw_string(), tree.id.decode(), blob)


def clean_message(message: str) -> str:
    r"""Answers a message without what Git does not want in one: zero bytes, `\r`, and space at its ends."""
    return normalize_newlines(message.replace("\0", "")).strip()


def _clean(text: str) -> str:
    return _NOWHERE.sub("", text.strip(_AT_THE_ENDS))
