import asyncio
from random import Random

import pytest

from client import connection, peer
from client.errors import EditsNotSaved, ReadOnly
from client.peer import Prompt
from crdt.client_peer import AwarenessChanged, Changed, ClientEvent
from crdt.diff import TextEdit
from crdt.errors import OffsetError
from crdt.messages import SyncStep1
from tests.client.opening import Naps, opened
from tests.client.small_server import SmallServer
from tests.crdt.sessions import random_edit
from tests.support.waiting import wait_until


async def test_a_prompt_opens_with_the_servers_text(server: SmallServer) -> None:
    async with opened(server) as prompt:
        assert prompt.text == "hello"
        assert prompt.synced
        assert prompt.saved
        assert prompt.role == "editor"
    assert server.paths == ["/ws/p1"]
    assert server.tokens == ["Bearer token"]


async def test_edits_reach_the_server_and_are_saved(server: SmallServer) -> None:
    async with opened(server) as prompt:
        await prompt.insert(5, " 😀")
        await prompt.delete(0, 1)
        await prompt.edit([TextEdit(0, 0, "J"), TextEdit(4, 4, ",\r\n")])
        assert prompt.unsaved_edits == 3
        await prompt.wait_saved()
        assert prompt.unsaved_edits == 0
        assert server.room.text == prompt.text == "Jello,\n 😀"


async def test_replacing_touches_only_what_differs(server: SmallServer) -> None:
    async with opened(server) as one, opened(server) as other:
        await asyncio.gather(one.replace("hello there"), other.insert(0, "> "))
        await one.wait_for(lambda text: text == "> hello there")
        await other.wait_for(lambda text: text == "> hello there")


async def test_an_edit_that_names_no_place_is_refused(server: SmallServer) -> None:
    async with opened(server) as prompt:
        with pytest.raises(OffsetError):
            await prompt.insert(99, "x")
        assert prompt.saved


async def test_many_prompts_in_one_room_end_with_the_same_text(server: SmallServer, rng: Random) -> None:
    async def type_into(prompt: Prompt) -> None:
        for _ in range(30):
            await prompt.edit([random_edit(rng, prompt.text)])
            await asyncio.sleep(0)
        await prompt.wait_saved()

    async with opened(server) as one, opened(server) as two, opened(server) as three:
        prompts = [one, two, three]
        await asyncio.gather(*map(type_into, prompts))
        for prompt in prompts:
            await prompt.wait_for(lambda text: text == server.room.text)


async def test_what_is_edited_offline_is_kept_and_saved_later(server: SmallServer, naps: Naps) -> None:
    async with opened(server, naps) as prompt:
        await server.stop()
        await wait_until(lambda: not prompt.synced, what="the connection to break")
        await prompt.insert(5, "!")
        await prompt.insert(6, "?")
        assert prompt.text == "hello!?"
        assert prompt.unsaved_edits == 2
        await wait_until(lambda: len(naps.taken) > 3, what="some attempts in vain")
        await server.start()
        await prompt.wait_saved()
        assert server.room.text == "hello!?"
        assert len(server.room.updates) == 1


async def test_what_was_sent_and_not_acknowledged_is_there_once(server: SmallServer) -> None:
    async with opened(server) as prompt:
        server.room.store_is_up = False
        await prompt.insert(5, "!")
        await wait_until(lambda: prompt.unsaved_edits == 1, what="the edit to be made")
        await server.close_all(1011)
        server.room.store_is_up = True
        await prompt.wait_saved()
        assert server.room.text == "hello!"


async def test_a_viewer_reads_and_does_not_write(server: SmallServer) -> None:
    server.role = "viewer"
    async with opened(server) as prompt:
        await prompt.wait_saved()
        with pytest.raises(ReadOnly):
            await prompt.insert(0, "x")
        assert prompt.text == "hello"


async def test_edits_kept_by_somebody_who_became_a_viewer_are_named(server: SmallServer) -> None:
    async with opened(server) as prompt:
        server.room.store_is_up = False
        await prompt.insert(0, "x")
        server.room.tell_event('{"type":"role.changed","role":"viewer"}')
        with pytest.raises(ReadOnly, match="1 edits"):
            await prompt.wait_saved()
        server.room.store_is_up = True
        server.room.tell_event('{"type":"role.changed","role":"editor"}')
        server.room.tell(SyncStep1(server.room.document.encode_state_vector()))
        await wait_until(lambda: prompt.role == "editor", what="the role")
        await prompt.wait_saved()
    assert server.room.text == "xhello"


async def test_leaving_waits_for_the_last_edit(server: SmallServer) -> None:
    async with opened(server) as prompt:
        await prompt.insert(0, "x")
    assert server.room.text == "xhello"


async def test_leaving_with_edits_that_are_not_saved_is_an_error(server: SmallServer) -> None:
    async def edit_and_leave() -> None:
        async with opened(server, leave_seconds=0) as prompt:
            server.room.store_is_up = False
            await prompt.insert(0, "x")
            await prompt.insert(0, "y")

    with pytest.raises(EditsNotSaved) as raised:
        await edit_and_leave()
    assert raised.value.edits == 2


async def test_observing_gives_the_text_and_every_change_of_it(server: SmallServer) -> None:
    async with opened(server) as one, opened(server) as other:
        seen = []
        texts = one.observe()
        async for text in texts:
            seen.append(text)
            if text == "hello":
                await other.insert(5, "!")
            elif text == "hello!":
                await one.insert(0, "> ")
            else:
                break
        assert seen == ["hello", "hello!", "> hello!"]


async def test_listeners_hear_what_others_do_until_they_stop(server: SmallServer) -> None:
    heard: list[ClientEvent] = []
    async with opened(server) as one, opened(server) as other:
        stop = one.listen(heard.append)
        await other.insert(0, "x")
        await one.wait_for(lambda text: text == "xhello")
        stop()
        await other.insert(0, "y")
        await one.wait_for(lambda text: text == "yxhello")
    assert len([event for event in heard if isinstance(event, Changed)]) == 1


async def test_presence_is_seen_by_others_renewed_and_taken_back(server: SmallServer) -> None:
    naps, gone = Naps(), []
    async with opened(server, naps) as one, opened(server) as other:
        other.listen(lambda event: gone.append(event) if isinstance(event, AwarenessChanged) else None)
        one.set_presence({"cursor": 3})
        await wait_until(lambda: [entry.state for entry in other.others] == [{"cursor": 3}], what="the cursor")
        clock = other.others[0].clock
        naps.renewals.release()
        await wait_until(lambda: other.others[0].clock > clock, what="the renewal")
        one.set_presence(None)
        await wait_until(lambda: not other.others, what="nobody")
    assert len(gone) == 3


async def test_others_who_fall_silent_are_gone(server: SmallServer, monkeypatch: pytest.MonkeyPatch) -> None:
    naps = Naps()
    async with opened(server, naps) as one, opened(server) as other:
        other.set_presence({})
        await wait_until(lambda: one.others, what="the other")
        monkeypatch.setattr(connection, "PRESENCE_TIMEOUT_SECONDS", -1.0)
        naps.renewals.release()
        await wait_until(lambda: not one.others, what="nobody")


async def test_the_epoch_that_was_loaded_is_asked_for_again(server: SmallServer) -> None:
    async with opened(server) as prompt:
        await server.close_all(1011)
        await wait_until(lambda: len(server.paths) == 2 and prompt.synced, what="the second connection")
    assert server.paths == ["/ws/p1", "/ws/p1?epoch=3"]


async def test_whoever_types_faster_than_the_socket_takes_it_waits(
    server: SmallServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # More than the buffers of a socket hold.
    pieces = ["x" * 100_000] * 200
    monkeypatch.setattr(peer, "MAX_WAITING_FRAMES", 4)

    async def type_all(prompt: Prompt) -> None:
        for piece in pieces:
            await prompt.insert(0, piece)

    async with opened(server) as prompt:
        server.reads.clear()
        typing = asyncio.create_task(type_all(prompt))
        await wait_until(lambda: prompt.unsaved_edits > 4, what="edits on their way")
        assert not typing.done()
        server.reads.set()
        await typing
        await prompt.wait_saved()
        assert server.room.text == prompt.text
