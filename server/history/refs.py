"""What names a state of a prompt: a version's id or its beginning, a label, `latest`, or `live`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from persistence.errors import NotFound as NotStored
from server.errors import RefAmbiguous, VersionNotFound
from server.history.label_rules import is_label_name

if TYPE_CHECKING:
    from uuid import UUID

    from persistence.prompts import Prompt
    from persistence.store import Store
    from persistence.versions import Version
    from server.live_state import LiveState

LIVE: Final = "live"
LATEST: Final = "latest"
# As short as Git abbreviates.
_BEGINNING: Final = re.compile(r"[0-9a-f]{7,39}")
_WHOLE: Final = re.compile(r"[0-9a-f]{40}")


class LivePrompts(Protocol):
    """Who knows the live text of prompts: the hub."""

    async def live(self, prompt_id: UUID, *, at_least: int = 0) -> LiveState:
        """Answers a prompt as it stands now, and not before a seq."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a ref names: `version` is None for the live text; `seq` is the journal seq whose text it is."""

    ref: str
    version: Version | None
    seq: int
    text: str


def is_version_id(ref: str) -> bool:
    """Answers whether a ref can only ever mean one version."""
    return _WHOLE.fullmatch(ref) is not None


async def resolve(store: Store, hub: LivePrompts, prompt: Prompt, ref: str) -> Resolved:
    """Answers what a ref names, with its text. Raises VersionNotFound, RefAmbiguous and what `hub.live` raises."""
    if ref == LIVE:
        live = await hub.live(prompt.id, at_least=prompt.head_seq)
        return Resolved(ref, None, live.head_seq, live.text)
    version = await find_version(store, prompt.id, ref)
    return Resolved(ref, version, version.seq, await text_of(store, prompt.id, version))


async def find_version(store: Store, prompt_id: UUID, ref: str) -> Version:
    """Answers the version that a ref other than `live` names. Raises VersionNotFound and RefAmbiguous."""
    version = await _find(store, prompt_id, ref)
    if version is None:
        what = "The prompt has no version yet." if ref == LATEST else "The prompt has no such version or label."
        raise VersionNotFound(what)
    return version


async def text_of(store: Store, prompt_id: UUID, version: Version) -> str:
    """Answers the text that a version holds."""
    return (await store.versions.content(prompt_id, version.blob_id)).decode()


async def _find(store: Store, prompt_id: UUID, ref: str) -> Version | None:
    if ref == LATEST:
        return await store.versions.latest(prompt_id)
    if is_label_name(ref):
        label = await store.labels.get(prompt_id, ref)
        return await store.versions.get(prompt_id, label.version_id) if label is not None else None
    if is_version_id(ref):
        try:
            return await store.versions.get(prompt_id, ref)
        except NotStored:
            return None
    found = await store.versions.beginning_with(prompt_id, ref) if _BEGINNING.fullmatch(ref) else []
    if len(found) > 1:
        message = "Several versions begin with these digits: give more of them."
        raise RefAmbiguous(message, details={"candidates": [version.id for version in found]})
    return found[0] if found else None
