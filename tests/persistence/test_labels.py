"""Labels: moved by compare-and-set, protected under the lock, and with the history of every change."""

import asyncio
import uuid
from itertools import pairwise

import pytest

from persistence.errors import LabelLimit, LabelMoved, NotFound
from persistence.labels import MAX_LABELS, Expected, Label, LabelChange, LabelMove
from persistence.prompts import Prompt
from persistence.store import OpenMode, Store
from persistence.versions import Version
from tests.persistence.conftest import HandClock, Home, home_of
from tests.persistence.history_rows import chain, made_id, new_version


def anybody(_label: Label | None) -> None:
    """Permit everything."""


class NotPermitted(Exception):
    """What a permit raises."""


@pytest.fixture
async def prompt(home: Home) -> Prompt:
    return await home.prompt()


@pytest.fixture
async def made(home: Home, prompt: Prompt) -> list[Version]:
    return await chain(home, prompt.id, "a", "b")


async def move(
    home: Home,
    prompt: Prompt,
    version: Version | None,
    *,
    name: str = "production",
    expected: Expected | None = None,
    is_protected: bool | None = None,
    reason: str = "",
) -> Label:
    version_id = version.id if version is not None else None
    change = LabelChange(home.owner_id, version_id, is_protected, reason, expected)
    return (await home.store.labels.change(prompt.id, name, change, permit=anybody)).label


async def test_a_label_is_created_moved_and_deleted_and_its_history_stays(
    home: Home, prompt: Prompt, made: list[Version], clock: HandClock
) -> None:
    created_at = clock.now
    label = await move(home, prompt, made[0], reason="first")
    assert label == Label("production", made[0].id, False, created_at, home.owner_id)  # noqa: FBT003
    clock.advance(seconds=1)
    moved = await move(home, prompt, made[1])
    assert (moved.version_id, moved.updated_at) == (made[1].id, clock.now)
    assert await home.store.labels.get(prompt.id, "production") == moved
    protected = await move(home, prompt, None, is_protected=True, reason="careful")
    assert (protected.version_id, protected.is_protected) == (made[1].id, True)
    deleted = await home.store.labels.delete(
        prompt.id, "production", user_id=home.owner_id, reason="gone", permit=anybody
    )
    assert deleted == protected
    assert await home.store.labels.get(prompt.id, "production") is None
    await move(home, prompt, made[0], reason="back")
    history = await home.store.labels.history(prompt.id, "production")
    who, later = home.owner_id, clock.now
    first, second = made[0].id, made[1].id
    assert [*history.items] == [
        LabelMove(5, None, first, is_protected=False, user_id=who, reason="back", created_at=later),
        LabelMove(4, second, None, is_protected=False, user_id=who, reason="gone", created_at=later),
        LabelMove(3, second, second, is_protected=True, user_id=who, reason="careful", created_at=later),
        LabelMove(2, first, second, is_protected=False, user_id=who, reason="", created_at=later),
        LabelMove(1, None, first, is_protected=False, user_id=who, reason="first", created_at=created_at),
    ]


async def test_what_changes_nothing_leaves_no_trace(home: Home, prompt: Prompt, made: list[Version]) -> None:
    label = await move(home, prompt, made[0])
    assert await move(home, prompt, made[0], is_protected=False, reason="again") == label
    assert len((await home.store.labels.history(prompt.id, "production")).items) == 1


async def test_labels_are_listed_by_name_each_prompts_own(home: Home, prompt: Prompt, made: list[Version]) -> None:
    other = await home.prompt("Other")
    for name in ("staging", "canary", "production"):
        await move(home, prompt, made[0], name=name)
    assert [label.name for label in await home.store.labels.list(prompt.id)] == ["canary", "production", "staging"]
    assert await home.store.labels.list(other.id) == []


async def test_a_label_that_is_elsewhere_is_not_moved(home: Home, prompt: Prompt, made: list[Version]) -> None:
    with pytest.raises(LabelMoved) as refused:
        await move(home, prompt, made[0], expected=Expected(made[1].id))
    assert refused.value.version_id is None
    await move(home, prompt, made[0], expected=Expected(None))
    for wrong in (Expected(None), Expected(made[1].id)):
        with pytest.raises(LabelMoved) as refused:
            await move(home, prompt, made[1], expected=wrong)
        assert refused.value.version_id == made[0].id
        with pytest.raises(LabelMoved):
            await home.store.labels.delete(
                prompt.id, "production", user_id=home.owner_id, expected=wrong, permit=anybody
            )
    await move(home, prompt, made[1], expected=Expected(made[0].id))


async def test_of_two_who_move_a_label_at_once_one_hears_where_it_is(
    home: Home, prompt: Prompt, made: list[Version]
) -> None:
    made.append((await home.store.versions.create(prompt.id, new_version(home.owner_id, text="c", parent=made[1])))[0])
    await move(home, prompt, made[0])
    expected = Expected(made[0].id)
    outcomes = await asyncio.gather(
        *[move(home, prompt, version, expected=expected) for version in made[1:]], return_exceptions=True
    )
    (won,) = [outcome for outcome in outcomes if isinstance(outcome, Label)]
    (lost,) = [outcome for outcome in outcomes if isinstance(outcome, LabelMoved)]
    assert lost.version_id == won.version_id


async def test_of_two_servers_that_move_a_label_at_once_one_hears_where_it_is(postgres_store_url: str) -> None:
    nodes = [await Store.open(postgres_store_url, mode=OpenMode.CLUSTER) for _ in range(2)]
    home, other = await home_of(nodes[0]), await home_of(nodes[1])
    prompt = await home.prompt()
    made = await chain(home, prompt.id, *"abcdefg")
    await move(home, prompt, made[0])
    for before, after in pairwise(made):
        expected = Expected(before.id)
        outcomes = await asyncio.gather(
            *[move(each, prompt, after, expected=expected) for each in (home, other)], return_exceptions=True
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Label", "LabelMoved"]
    assert len((await nodes[0].labels.history(prompt.id, "production")).items) == 7
    for node in nodes:
        await node.close()


async def test_a_permit_is_asked_about_the_label_as_it_is(home: Home, prompt: Prompt, made: list[Version]) -> None:
    seen: list[Label | None] = []

    def refuse(label: Label | None) -> None:
        seen.append(label)
        raise NotPermitted

    label = await move(home, prompt, made[0])
    change = LabelChange(home.owner_id, made[1].id)
    with pytest.raises(NotPermitted):
        await home.store.labels.change(prompt.id, "production", change, permit=refuse)
    with pytest.raises(NotPermitted):
        await home.store.labels.delete(prompt.id, "production", user_id=home.owner_id, permit=refuse)
    with pytest.raises(NotPermitted):
        await home.store.labels.change(prompt.id, "new", change, permit=refuse)
    assert seen == [label, label, None]
    assert await home.store.labels.list(prompt.id) == [label]


async def test_what_does_not_exist_is_not_found(home: Home, prompt: Prompt, made: list[Version]) -> None:
    with pytest.raises(NotFound, match="version"):
        await home.store.labels.change(prompt.id, "production", LabelChange(home.owner_id, made_id(1)), permit=anybody)
    with pytest.raises(NotFound, match="label"):
        await move(home, prompt, None, is_protected=True)
    with pytest.raises(NotFound, match="label"):
        await home.store.labels.delete(prompt.id, "production", user_id=home.owner_id, permit=anybody)
    change = LabelChange(home.owner_id, made[0].id)
    with pytest.raises(NotFound, match="prompt"):
        await home.store.labels.change(uuid.uuid4(), "production", change, permit=anybody)


async def test_a_prompt_has_a_bounded_number_of_labels(home: Home, prompt: Prompt, made: list[Version]) -> None:
    for number in range(MAX_LABELS):
        await move(home, prompt, made[0], name=f"label-{number}")
    with pytest.raises(LabelLimit):
        await move(home, prompt, made[0], name="one-more")
    await move(home, prompt, made[1], name="label-7")


async def test_the_history_is_read_page_by_page(home: Home, prompt: Prompt, made: list[Version]) -> None:
    for number in range(5):
        await move(home, prompt, made[number % 2])
    first = await home.store.labels.history(prompt.id, "production", limit=3)
    rest = await home.store.labels.history(prompt.id, "production", limit=3, cursor=first.next_cursor)
    assert [each.number for each in (*first.items, *rest.items)] == [5, 4, 3, 2, 1]
    assert rest.next_cursor is None
