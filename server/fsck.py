"""`promptroom fsck`: is what is stored what was stored?

The store checks its rows (sequence numbers without gaps, digests, references). Here every prompt is rebuilt from its
journal alone, and each checkpoint and keyframe is held against the rebuild: whatever the reader or the engine does not
take, and every checkpoint and keyframe that differs, is a finding that names prompt and seq.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crdt.causality import Knowledge
from crdt.document import canonical_state
from crdt.errors import CrdtError
from crdt.knowledge_bytes import decode_knowledge
from crdt.update import read_update
from persistence.errors import CheckpointInvalid
from persistence.verify import verify
from server.history.keyframe_checks import check_keyframes
from server.history.version_checks import check_versions
from server.rebuild import read_stored, rebuild

if TYPE_CHECKING:
    from uuid import UUID

    from persistence.store import Store


async def check_everything(store: Store) -> list[str]:
    """Answers what is wrong with all that is stored, one line each; nothing when all is well.

    Raises StoreUnavailable.
    """
    findings = [finding.message async for finding in verify(store.database)]
    for prompt_id in await store.prompts.ids():
        findings += await check_prompt(store, prompt_id)
        findings += await check_versions(store, prompt_id)
    return findings


async def check_prompt(store: Store, prompt_id: UUID) -> list[str]:
    """Answers what is wrong with one prompt, one line each. Raises StoreUnavailable."""
    stored = await read_stored(store, prompt_id, with_checkpoint=False)
    kept_out = sorted(await store.quarantine.sequences(prompt_id))
    findings = [f"prompt {prompt_id}: entry {seq} is in quarantine" for seq in kept_out]
    try:
        rebuilt = rebuild(None, stored.updates)
        if rebuilt.rejected:
            # What builds on the first cannot be applied either: a line for each would hide it.
            (index, reason), *more = rebuilt.rejected
            after = f", nor can {len(more)} after it" if more else ""
            entry = f"entry {stored.entries[index].seq} cannot be applied ({reason})"
            findings.append(f"prompt {prompt_id}: {entry}{after}")
    except CrdtError as error:
        findings.append(f"prompt {prompt_id}: cannot be rebuilt from its journal ({error.code})")
    findings += await _check_checkpoint(store, prompt_id)
    return findings + await check_keyframes(store, prompt_id)


async def _check_checkpoint(store: Store, prompt_id: UUID) -> list[str]:
    try:
        checkpoint = await store.checkpoints.latest(prompt_id)
    except CheckpointInvalid:
        # The store named it already.
        return []
    if checkpoint is None:
        return []
    stored = await read_stored(store, prompt_id, until=checkpoint.seq, with_checkpoint=False)
    try:
        replayed = canonical_state(rebuild(None, stored.updates).state)
        same = replayed == canonical_state(checkpoint.state)
    except CrdtError as error:
        return [f"prompt {prompt_id}: the checkpoint at {checkpoint.seq} cannot be read ({error.code})"]
    if not same:
        return [f"prompt {prompt_id}: the checkpoint at {checkpoint.seq} is not what its journal comes to"]
    kept = decode_knowledge(checkpoint.knowledge) if checkpoint.knowledge is not None else None
    if kept is not None and kept != Knowledge.of(read_update(checkpoint.state)):
        return [f"prompt {prompt_id}: what was kept with the checkpoint at {checkpoint.seq} is not what it holds"]
    return []
