"""Are keyframes what their journal comes to? For `promptroom fsck`, which takes its time."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from crdt.attribution import Row
from crdt.document import canonical_state
from crdt.errors import CrdtError
from crdt.spans import Spans
from persistence.errors import KeyframeInvalid
from server.history.blame import strokes_of
from server.history.replaying import Base, keyframe_after
from server.history.sessions import decode_sessions, sessions_of

if TYPE_CHECKING:
    from uuid import UUID

    from persistence.keyframes import Keyframe
    from persistence.store import Store


async def check_keyframes(store: Store, prompt_id: UUID) -> list[str]:
    """Answers what is wrong with the keyframes of a prompt, at most one line: later ones follow from the first."""
    kept_out = await store.quarantine.sequences(prompt_id)
    base, since = None, 0
    try:
        for seq in await store.keyframes.seqs(prompt_id):
            keyframe = await store.keyframes.nearest(prompt_id, seq)
            (stretch,) = await store.keyframes.stretches(prompt_id, until=seq, limit=1)
            entries = await store.journal.read(prompt_id, after=since, limit=seq - since)
            taken = [entry for entry in entries if entry.seq not in kept_out]
            rows = [Row(one.seq, one.update, to) for one, to in zip(taken, strokes_of(taken), strict=True)]
            made = keyframe_after(base, rows)
            happened = sessions_of(taken, made.counts)
            if keyframe is None or not _same(made.base, keyframe) or decode_sessions(stretch.activity) != happened:
                return [f"prompt {prompt_id}: the keyframe at {seq} is not what its journal comes to"]
            base, since = made.base, seq
    except KeyframeInvalid:
        # The store named it already.
        return []
    except (CrdtError, ValueError, zlib.error) as error:
        return [f"prompt {prompt_id}: the keyframe after {since} cannot be read ({error})"]
    return []


def _same(made: Base, keyframe: Keyframe) -> bool:
    made_state, kept_state = zlib.decompress(made.state), zlib.decompress(keyframe.state)
    made_spans, kept_spans = (Spans.decode(zlib.decompress(each)) for each in (made.spans, keyframe.spans))
    return made_spans == kept_spans and (
        made_state == kept_state or canonical_state(made_state) == canonical_state(kept_state)
    )
