"""The page runs the editor's own scripts and nothing else."""

import pytest
from playwright.async_api import expect

from tests.browser.house import House
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

FOREIGN = """() => {
    const script = document.createElement('script');
    script.textContent = 'window.foreign = true';
    document.body.append(script);
    document.body.insertAdjacentHTML('beforeend', '<img src="data:," onerror="window.foreign = true">');
}"""


async def test_a_script_that_got_into_the_page_does_not_run_and_is_heard_of(house: House) -> None:
    person = await house.visitor("Mallory")
    await person.page.goto("/signin")
    await expect(person.page.get_by_role("heading", name="Sign in")).to_be_visible()
    await person.page.evaluate(FOREIGN)
    await wait_until(lambda: any("script-src-attr" in text for text in person.complaints), what="a complaint")
    assert await person.page.evaluate("window.foreign") is None
    person.expects("script-src|Content Security Policy")
