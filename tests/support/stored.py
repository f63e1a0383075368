"""What a database holds of a prompt, read beside or without a server and held against itself."""

from uuid import UUID

from crdt.document import Document
from crdt.update import read_update
from persistence.store import Store
from server.rebuild import read_stored, rebuild
from tests.support.yjs import YjsProcess


async def rebuilt_text(store: Store, prompt_id: UUID) -> str:
    """Return the text that the journal comes to, replayed from its first entry.

    Raises:
        AssertionError: The journal has holes, holds something that cannot be applied or that was written under
            another's client id, or comes to another text with a checkpoint than without.
    """
    assert not await store.quarantine.sequences(prompt_id), "something was put into quarantine"
    stored = await read_stored(store, prompt_id, with_checkpoint=False)
    assert [entry.seq for entry in stored.entries] == list(range(1, stored.head_seq + 1)), "the journal has holes"
    assert stored.head_seq == await store.journal.head(prompt_id)
    bindings = await store.journal.bindings(prompt_id)
    for entry in stored.entries:
        for client, _, _ in read_update(entry.update).writes:
            # A step 2 repeats what others wrote; a client id that nobody is bound to was never checked.
            assert client in bindings, f"entry {entry.seq} writes under client id {client}, which is nobody's"
    rebuilt = rebuild(None, stored.updates)
    assert not rebuilt.rejected, f"entries cannot be applied: {rebuilt.rejected}"
    text = Document(rebuilt.state).text
    shortened = await read_stored(store, prompt_id)
    assert Document(rebuild(shortened.checkpoint, shortened.updates).state).text == text, "the checkpoint differs"
    return text


async def text_in_yjs(store: Store, prompt_id: UUID, yjs: YjsProcess) -> str:
    """Return the text that real Yjs comes to when it is given the journal, one entry after another."""
    return await yjs.replay([entry.update for entry in await store.journal.read(prompt_id)])
