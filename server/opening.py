"""A prompt is opened from its checkpoint and the knowledge that was kept with it, in the event loop, piece by piece.

Reading a long history strictly takes far longer than decoding it, and was done when the checkpoint was made. Whatever
does not fit here is no error: then everything is read and replayed (`server.rebuild`).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from crdt.document import Document
from crdt.errors import CrdtError
from crdt.knowledge_bytes import decode_knowledge
from crdt.update import encode_state_vector, read_update
from server.limits import HEAVY_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crdt.causality import Knowledge

# Read and applied in about a millisecond.
_PIECE: Final = 100


async def open_checkpoint(
    checkpoint: bytes, kept: bytes | None, updates: Sequence[bytes], *, at_once: bool = False
) -> tuple[Document, Knowledge] | None:
    """Answers the document after updates on top of a checkpoint, and what it holds.

    None where nothing of use was kept, an update is too heavy for the event loop, or one has to be left out.

    Arguments: `kept` is the encoded knowledge of the checkpoint; `updates` are in journal order. A checkpoint without
    updates is read by the engine when somebody edits, unless it is to be `at_once`; until then its bytes are served.
    """
    knowledge = decode_knowledge(kept) if kept is not None else None
    if knowledge is None or any(len(update) > HEAVY_BYTES for update in updates):
        return None
    if not updates and not at_once:
        return Document.unread(checkpoint, encode_state_vector(knowledge.state)), knowledge
    try:
        document = Document(checkpoint)
        for start in range(0, len(updates), _PIECE):
            piece = updates[start : start + _PIECE]
            if not _take_in(knowledge, piece):
                return None
            document.apply(piece)
            await asyncio.sleep(0)
        # Reading is where a poisoned document panics; better here than in front of people, who get this state.
        _ = document.text, document.encode_state()
    except CrdtError:
        return None
    return document, knowledge


def _take_in(knowledge: Knowledge, updates: Sequence[bytes]) -> bool:
    for update in updates:
        summary = read_update(update)
        if not knowledge.is_ready(summary) or knowledge.repeats(summary):
            return False
        knowledge.check(summary)
        knowledge.add(summary)
    return True
