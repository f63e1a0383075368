"""The server dies, ends, or cannot store: the page says so, goes on, and everything arrives when it can."""

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from uuid import UUID

import pytest
from playwright.async_api import Page, expect
from sqlalchemy.engine import make_url

from tests.browser.editor import converged
from tests.browser.house import House
from tests.browser.person import Person
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.faults, pytest.mark.asyncio(loop_scope="session")]

KEPT = re.compile(r"^offline: (\d+) edits? kept here$")
NO_SERVER = r"WebSocket connection to '.*' failed|net::ERR_CONNECTION_REFUSED|net::ERR_CONNECTION_RESET"


async def test_the_server_is_killed_and_later_restarted_under_two_who_type(own_house: House) -> None:
    server = own_house.server
    prompt_id = await own_house.rest.new_prompt("Outage", "Ada: \nGrace: ")
    ada, grace = await own_house.guests(prompt_id)
    for person in (ada, grace):
        person.expects(NO_SERVER)
        await person.leave_mark()
    await ada.editor.go_behind("Ada: ")
    await grace.editor.go_behind("Grace: ")

    async def killed_while_they_type() -> None:
        await ada.editor.holds("one ")
        server.kill()

    await asyncio.gather(
        ada.editor.type("one two three four ", milliseconds_per_key=20),
        grace.editor.type("uno dos tres cuatro ", milliseconds_per_key=20),
        killed_while_they_type(),
    )
    await they_keep_their_edits(ada, grace, ("five ", "cinco "))
    await server.start()
    text = "Ada: one two three four five \nGrace: uno dos tres cuatro cinco "
    await all_is_there(own_house, prompt_id, ada, grace, text)

    assert await server.terminate() == 0
    await they_keep_their_edits(ada, grace, ("six", "seis"))
    await leave_with_unsaved_edits(ada.page)
    await server.start()
    await ada.page.get_by_role("button", name="Try again").click()
    await ada.page.get_by_role("link", name="Outage").click()
    await all_is_there(own_house, prompt_id, ada, grace, text.replace(" \n", " six\n") + "seis")


async def they_keep_their_edits(ada: Person, grace: Person, words: tuple[str, str]) -> None:
    for person, word in zip((ada, grace), words, strict=True):
        await expect(person.editor.badge).to_have_text(re.compile("^offline"))
        before = await kept_by(person)
        await person.editor.type(word)
        await wait_until(
            partial(keeps, person, before + len(word)), what=f"{before} and {len(word)} more edits to be kept"
        )


async def leave_with_unsaved_edits(page: Page) -> None:
    await page.get_by_role("link", name="All prompts").click()
    await page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    await expect(page.get_by_text("The server cannot be reached")).to_be_visible()


async def keeps(person: Person, edits: int) -> bool:
    return await kept_by(person) >= edits


async def kept_by(person: Person) -> int:
    found = KEPT.match(await person.editor.badge.inner_text())
    return int(found[1]) if found else 0


async def all_is_there(house: House, prompt_id: UUID, ada: Person, grace: Person, text: str) -> None:
    for person in (ada, grace):
        await person.editor.says("saved")
        await expect(person.editor.people).to_have_count(2)
        assert await person.mark_is_there(), f"{person.name}'s page was reloaded"
    assert await converged(ada.editor, grace.editor) == text == await house.rest.live(prompt_id)


async def test_nothing_is_called_saved_while_the_database_is_locked(own_house: House) -> None:
    prompt_id = await own_house.rest.new_prompt("Locked", "Ada: \nGrace: ")
    ada, grace = await own_house.guests(prompt_id)
    await ada.editor.go_behind("Ada: ")
    await grace.editor.go_behind("Grace: ")
    for person in (ada, grace):
        person.expects(NO_SERVER)
        await person.leave_mark()
        await person.editor.watch_states()
    with locked(own_house.server.database_url):
        await ada.editor.type("kept")
        await ada.editor.says("not saved, kept here")
        await expect(ada.editor.banner).to_contain_text("kept in this page")
        await ada.editor.type(" and going on")
        await grace.editor.type("me too")
        await grace.editor.says("not saved, kept here")
        assert await grace.editor.text() == "Ada: \nGrace: me too", "what is not stored was shown to another"
        assert await own_house.rest.live(prompt_id) in {None, "Ada: \nGrace: "}
        assert "saved" not in (await ada.editor.states())[1:]
    await all_is_there(own_house, prompt_id, ada, grace, "Ada: kept and going on\nGrace: me too")
    await expect(ada.editor.banner).to_be_hidden()


@contextmanager
def locked(database_url: str) -> Iterator[None]:
    """Hold the only right to write to an SQLite file, as another program on the machine might."""
    connection = sqlite3.connect(str(make_url(database_url).database), isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")
    finally:
        connection.close()
