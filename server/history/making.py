"""Making a version of a text: who wrote it, the commit, and its place after the latest version."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from persistence.errors import HeadMoved as StoredHeadMoved
from persistence.versions import Author, NewVersion, VersionKind
from server.errors import HeadMoved
from server.history.git_objects import Signature, blob_of, clean_message, make_commit

if TYPE_CHECKING:
    from uuid import UUID

    from persistence.prompts import Prompt
    from persistence.store import Store
    from persistence.versions import Version
    from server.history.refs import LivePrompts


@dataclass(frozen=True, slots=True)
class Draft:
    """A version to be made.

    Arguments: `text` after journal entry `seq`; `at` in seconds since the epoch, of which the whole ones count.
    """

    text: str
    seq: int
    author_id: UUID
    kind: VersionKind
    message: str
    at: float


async def make_live_version(
    store: Store,
    hub: LivePrompts,
    prompt: Prompt,
    *,
    author_id: UUID,
    message: str,
    at: float,
    expected_head: str | None = None,
) -> tuple[Version, bool]:
    """Makes a version of the live text by hand; answers it, and whether it is new.

    Where the latest version holds this text already, that one is answered. Raises HeadMoved where the latest version
    is not the expected one, and what `hub.live` raises.
    """
    while True:
        head = await store.versions.latest(prompt.id)
        # Another node may have made a version of more than has been heard of here.
        live = await hub.live(prompt.id, at_least=max(prompt.head_seq, head.seq if head is not None else 0))
        draft = Draft(live.text, live.head_seq, author_id, VersionKind.MANUAL, message, at)
        try:
            return await make_version(store, prompt, head, draft, expected_head=expected_head)
        except StoredHeadMoved:
            # Each time around somebody else has made one.
            continue


async def make_version(
    store: Store, prompt: Prompt, head: Version | None, draft: Draft, *, expected_head: str | None = None
) -> tuple[Version, bool]:
    """Makes a version after `head`, the latest one; answers it, and whether it is new.

    Raises HeadMoved where `head` is not the expected one, and persistence.errors.HeadMoved where it is not the latest
    any more.
    """
    blob = await asyncio.to_thread(blob_of, draft.text)
    blob_id = blob.id.decode()
    if head is not None and head.blob_id == blob_id:
        return head, False
    head_id = head.id if head is not None else None
    if expected_head is not None and expected_head != head_id:
        raise HeadMoved(f"The latest version is {head_id or 'none'}.", details={"head": head_id})
    writers = await store.journal.writers(prompt.id, after=head.seq if head is not None else 0, until=draft.seq)
    author = await _signature(store, draft.author_id)
    others = [(user_id, await _signature(store, user_id)) for user_id in writers if user_id != draft.author_id]
    message, seconds = clean_message(draft.message), int(draft.at)
    path = f"{prompt.slug}.prompt"
    commit = make_commit(
        path=path,
        blob=blob_id,
        parent_id=head_id,
        author=author,
        co_authors=[signature for _, signature in others],
        message=message,
        seq=draft.seq,
        seconds=seconds,
    )
    new = NewVersion(
        id=commit.id,
        seq=draft.seq,
        blob_id=blob_id,
        parent_id=head_id,
        path=path,
        kind=draft.kind,
        message=message,
        author=Author(draft.author_id, author.name),
        co_authors=tuple(Author(user_id, signature.name) for user_id, signature in others),
        created_at=datetime.fromtimestamp(seconds, UTC),
        data=commit.data,
        content=blob.as_raw_string(),
    )
    return await store.versions.create(prompt.id, new)


async def _signature(store: Store, user_id: UUID) -> Signature:
    user = await store.accounts.get_user(user_id)
    return Signature.of(user.id, user.name, user.email)
