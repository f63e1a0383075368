"""Lists read page by page, whatever comes and goes meanwhile."""

import base64
import random
from uuid import UUID

import pytest

from persistence.pages import CursorInvalid, Position
from persistence.prompts import Prompt
from tests.persistence.conftest import START, HandClock, Home

SOME_ID = UUID("00112233-4455-6677-8899-aabbccddeeff")


def test_a_cursor_stands_for_a_place() -> None:
    position = Position(START, SOME_ID)
    assert Position.read(position.cursor()) == position


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "é", "AAAA", Position(START, SOME_ID).cursor()[:-4], base64.urlsafe_b64encode(b"\xff" * 24).decode()],
)
def test_anything_else_is_refused(cursor: str) -> None:
    with pytest.raises(CursorInvalid):
        Position.read(cursor)


async def test_every_item_appears_once_in_order(home: Home, clock: HandClock, rng: random.Random) -> None:
    created = []
    for number in range(23):
        created.append(await home.prompt(f"p{number}"))
        # Some at the same moment: then the key decides.
        clock.advance(seconds=rng.choice([0, 0, 1]))
    for limit in (1, 7, 23, 100):
        seen: list[Prompt] = []
        cursor = None
        while True:
            page = await home.store.prompts.list(home.organization_id, limit=limit, cursor=cursor)
            assert len(page.items) <= limit
            seen += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
        assert {prompt.id for prompt in seen} == {prompt.id for prompt in created}
        assert seen == sorted(seen, key=lambda prompt: (prompt.created_at, prompt.id.bytes), reverse=True)


async def test_what_comes_and_goes_meanwhile_moves_nothing_else(home: Home, clock: HandClock) -> None:
    created = []
    for number in range(6):
        created.append(await home.prompt(f"p{number}"))
        clock.advance(seconds=1)
    first = await home.store.prompts.list(home.organization_id, limit=3)
    await home.store.prompts.delete(first.items[2].id)
    await home.prompt("new")
    second = await home.store.prompts.list(home.organization_id, limit=3, cursor=first.next_cursor)
    assert [prompt.name for prompt in first.items + second.items] == ["p5", "p4", "p3", "p2", "p1", "p0"]
    assert second.next_cursor is None


async def test_the_oldest_first_lists_page_too(home: Home, clock: HandClock) -> None:
    for number in range(5):
        clock.advance(seconds=1)
        await home.store.projects.create(home.organization_id, f"p{number}")
    first = await home.store.projects.list(home.organization_id, limit=4)
    second = await home.store.projects.list(home.organization_id, limit=4, cursor=first.next_cursor)
    assert [project.name for project in first.items + second.items] == ["Prompts", "p0", "p1", "p2", "p3", "p4"]


async def test_a_page_has_1_to_100_items(home: Home) -> None:
    for limit in (0, 101, -1):
        with pytest.raises(ValueError, match="1 to 100"):
            await home.store.prompts.list(home.organization_id, limit=limit)
