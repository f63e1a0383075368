"""A version is brought back while people type: everybody converges, and nothing they type is lost."""

import asyncio
import random
from collections.abc import Callable, Sequence
from uuid import UUID

import pytest

from crdt.diff import TextEdit
from persistence.edits import EditKind
from persistence.versions import VersionKind
from server.access import Principal
from server.editing import EditResult
from server.history.making import make_live_version
from server.history.refs import resolve
from server.history.restoring import restore
from tests.server.living import House

TEXT = "".join(f"Line {number}: keep what is the same 😀\n" for number in range(40))


async def test_five_people_type_on_while_a_version_is_brought_back(
    house: House, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, hub, anna = house.store, house.hub, house.people["anna"]
    first = await house.open("anna")
    first.type(TEXT)
    await first.saved()
    prompt = await store.prompts.get(house.prompt_id)
    version, is_new = await make_live_version(store, hub, prompt, author_id=anna.user_id, message="Good", at=1.8e9)
    assert is_new
    first.type("Spoilt. ", 60)
    first.type("Spoilt as well.", 900)
    await first.saved()
    tabs = [first] + [await house.open(name) for name in ("anna", "ben", "ben", "owner")]
    # What is typed before that is part of what is taken back.
    text_was_taken = asyncio.Event()
    edit = hub.edit

    async def edit_and_say_so(
        prompt_id: UUID, principal: Principal, make_edits: Callable[[str], Sequence[TextEdit]], **how: object
    ) -> EditResult:
        def take(text: str) -> Sequence[TextEdit]:
            text_was_taken.set()
            return make_edits(text)

        return await edit(prompt_id, principal, take, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(hub, "edit", edit_and_say_so)

    async def type_on(number: int) -> None:
        await text_was_taken.wait()
        for word in range(20):
            # Without a surrogate pair between: places are code units.
            tabs[number].pump().type(f"[{number}.{word}]", rng.choice([0, len(tabs[number].peer.text)]))
            await asyncio.sleep(0)

    async def bring_back() -> None:
        wanted = await resolve(store, hub, prompt, version.id)
        await restore(hub, anna, prompt, wanted.text)

    await asyncio.gather(*(type_on(number) for number in range(5)), bring_back())
    await first.saved()
    text = (await hub.live(house.prompt_id)).text
    for tab in tabs:
        await tab.shows(text)
    for number in range(5):
        for word in range(20):
            assert f"[{number}.{word}]" in text
    assert "Spoilt" not in text
    kinds = [entry.kind for entry in await store.journal.read(house.prompt_id)]
    assert kinds.count(EditKind.RESTORED) == 1


async def test_only_what_differs_is_touched_and_the_content_is_that_of_the_version(house: House) -> None:
    store, hub, ben = house.store, house.hub, house.people["ben"]
    tab = await house.open("anna")
    tab.type(TEXT)
    await tab.saved()
    prompt = await store.prompts.get(house.prompt_id)
    version, _ = await make_live_version(store, hub, prompt, author_id=ben.user_id, message="Good", at=1.8e9)
    tab.type("Spoilt", 5)
    await tab.saved()
    wanted = await resolve(store, hub, prompt, version.id[:7])
    result = await restore(hub, ben, prompt, wanted.text)
    assert result.text == wanted.text == f"Hello{TEXT}"
    entry = (await store.journal.read(house.prompt_id))[-1]
    assert (entry.user_id, entry.kind) == (ben.user_id, EditKind.RESTORED)
    assert len(entry.update) < 40, "it deletes one word, and writes nothing"
    again, is_new = await make_live_version(store, hub, prompt, author_id=ben.user_id, message="Again", at=1.9e9)
    assert (again, is_new, again.kind) == (version, False, VersionKind.MANUAL)


async def test_live_is_the_text_as_it_stands(house: House) -> None:
    tab = await house.open("anna")
    tab.type(" 😀")
    await tab.saved()
    prompt = await house.store.prompts.get(house.prompt_id)
    found = await resolve(house.store, house.hub, prompt, "live")
    assert (found.version, found.seq, found.text) == (None, 2, "Hello 😀")
