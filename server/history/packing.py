"""A pack of one stretch of a prompt's versions, made piece by piece: what a Git client unpacks.

The pieces are made in the worker process, one after the other, so that neither the length of a history nor the size of
its texts is a question of memory. Objects stand whole, without deltas: the texts are stored compressed as a pack wants
them, and are only copied.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dulwich.object_format import SHA1
from dulwich.objects import Blob, Commit, Tree
from dulwich.pack import pack_header_chunks, pack_object_chunks, pack_object_header

from persistence.errors import StoreDamaged
from server.history.git_objects import tree_of

if TYPE_CHECKING:
    from uuid import UUID

    from persistence.version_objects import VersionObjects, VersionOutline
    from server.workers import Workers

# What one piece is made of, at most, unless one text alone is larger.
_VERSIONS_AT_ONCE: Final = 400
_BYTES_AT_ONCE: Final = 2 * 1024 * 1024
# Three objects of a version, compressed or looked into: 0.1 ms, as long as merging 24 KiB takes.
_WEIGHT_OF_A_VERSION: Final = 24 * 1024


@dataclass(frozen=True, slots=True)
class _Piece:
    """Versions with those of their trees and blobs that no earlier piece has."""

    first: int
    last: int
    trees: tuple[tuple[str, str], ...]
    blob_ids: tuple[str, ...]
    blob_bytes: int


async def pack_of(
    objects: VersionObjects, workers: Workers, prompt_id: UUID, *, after: int, upto: int
) -> AsyncIterator[bytes]:
    """Yields the bytes of the pack of the versions after one number up to another.

    Raises StoreUnavailable, StoreDamaged and Overloaded.
    """
    pieces = list(_pieces(await objects.outlines(prompt_id, after=after, upto=upto)))
    count = sum(1 + piece.last - piece.first + len(piece.trees) + len(piece.blob_ids) for piece in pieces)
    digest = hashlib.sha1(usedforsecurity=False)
    header = b"".join(pack_header_chunks(count))
    digest.update(header)
    yield header
    for piece in pieces:
        commits = await objects.commits(prompt_id, first=piece.first, last=piece.last)
        stored = await objects.compressed(prompt_id, piece.blob_ids)
        weight = piece.blob_bytes + _WEIGHT_OF_A_VERSION * len(commits)
        blobs = [(blob_id, stored[blob_id]) for blob_id in piece.blob_ids]
        data = await workers.run(weight, packed, commits, piece.trees, blobs)
        digest.update(data)
        yield data
    yield digest.digest()


def packed(commits: Sequence[bytes], trees: Sequence[tuple[str, str]], blobs: Sequence[tuple[str, bytes]]) -> bytes:
    """Answers the entries of a pack.

    Arguments: the bytes of commits; trees as the path and the blob of their one file; blobs as their ids and their
    texts, compressed. Raises StoreDamaged where a text cannot be read.
    """
    found: list[bytes] = []
    for commit in commits:
        found += pack_object_chunks(Commit.type_num, [commit], SHA1)
    for path, blob_id in trees:
        found += pack_object_chunks(Tree.type_num, [tree_of(path, blob_id).as_raw_string()], SHA1)
    for blob_id, data in blobs:
        try:
            size = len(zlib.decompress(data))
        except zlib.error as error:
            raise StoreDamaged(f"blob {blob_id} cannot be read: {error}") from error
        found += (bytes(pack_object_header(Blob.type_num, None, size, SHA1)), data)
    return b"".join(found)


def _pieces(outlines: Sequence[VersionOutline]) -> Iterator[_Piece]:
    seen_trees: set[tuple[str, str]] = set()
    seen_blobs: set[str] = set()
    start = 0
    while start < len(outlines):
        trees: dict[tuple[str, str], None] = {}
        blobs: dict[str, int] = {}
        end = start
        while end < len(outlines) and end - start < _VERSIONS_AT_ONCE and sum(blobs.values()) < _BYTES_AT_ONCE:
            outline = outlines[end]
            tree = (outline.path, outline.blob_id)
            if tree not in seen_trees:
                seen_trees.add(tree)
                trees[tree] = None
            if outline.blob_id not in seen_blobs:
                seen_blobs.add(outline.blob_id)
                blobs[outline.blob_id] = outline.blob_bytes
            end += 1
        sizes = sum(blobs.values())
        yield _Piece(outlines[start].number, outlines[end - 1].number, tuple(trees), tuple(blobs), sizes)
        start = end
