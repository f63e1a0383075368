"""What people in a room hear of its history, and what refs and labels come to at their bounds."""

from dataclasses import replace

from crdt.awareness import Json
from crdt.client_peer import RoomEventReceived
from persistence.labels import MAX_LABELS, LabelChange
from persistence.versions import Author, NewVersion, VersionKind
from tests.persistence.history_rows import AT, made_id
from tests.server.api.edge import Edge
from tests.server.api.test_versions import made, read, write
from tests.server.living import Tab
from tests.support.waiting import wait_until


async def in_the_room(edge: Edge, name: str) -> Tab:
    """Somebody who has the prompt open."""
    principal = await edge.services.authenticator.principal(edge.token(name))
    return await Tab(edge.services.hub, principal, []).open(edge.prompt_id)


async def heard(tab: Tab, kind: str, count: int) -> list[dict[str, Json]]:
    """Wait until somebody has heard so many events of a kind; answer them."""

    def events() -> list[dict[str, Json]]:
        said = [each.event for each in tab.pump().events if isinstance(each, RoomEventReceived)]
        return [event for event in said if event["type"] == kind]

    await wait_until(lambda: len(events()) >= count, what=f"{count} events {kind}")
    return events()


async def test_everybody_in_the_room_hears_of_versions_and_labels(edge: Edge) -> None:
    tab = await in_the_room(edge, "viewer")
    first = await made(edge)
    await write(edge, "x")
    second = await made(edge)
    assert [event["version"] for event in await heard(tab, "version.created", 2)] == [first, second]
    path = f"/prompts/{edge.prompt_id}/labels/production"
    for body in ({"version": first["id"]}, {"version": first["id"]}, {"version": second["id"]}, {"protected": True}):
        await edge.call("owner", "PUT", path, json=body)
    await edge.call("owner", "DELETE", path)
    events = await heard(tab, "label.moved", 4)
    assert [(event["previous_id"], event["version_id"], event["is_protected"]) for event in events] == [
        (None, first["id"], False),
        (first["id"], second["id"], False),
        (second["id"], second["id"], True),
        (second["id"], None, False),
    ]
    assert {event["name"] for event in events} == {"production"}
    assert {event["user_id"] for event in events} == {str(edge.people["owner"].user_id)}


async def test_digits_with_which_several_versions_begin_are_a_conflict(edge: Edge) -> None:
    author = Author(edge.people["owner"].user_id, "Owner")
    first = NewVersion(
        id=made_id(1, "abcdef0"),
        seq=1,
        blob_id=made_id(1),
        parent_id=None,
        path="greeting.prompt",
        kind=VersionKind.MANUAL,
        message="One",
        author=author,
        co_authors=(),
        created_at=AT,
        data=b"commit",
        content=b"One",
    )
    second = replace(first, id=made_id(2, "abcdef0"), blob_id=made_id(2), parent_id=first.id, content=b"Two")
    for version in (first, second):
        await edge.store.versions.create(edge.prompt_id, version)
    status, answer = await read(edge, "abcdef0")
    assert (status, answer["code"]) == (409, "ref_ambiguous")
    assert answer["candidates"] == [first.id, second.id]
    assert (await read(edge, second.id[:39]))[0] == 409
    assert (await read(edge, second.id))[1]["content"] == "Two"


async def test_a_prompt_has_a_bounded_number_of_labels(edge: Edge) -> None:
    version_id = await edge.make_history()
    change = LabelChange(edge.people["owner"].user_id, version_id)
    for number in range(MAX_LABELS - 1):
        await edge.store.labels.change(edge.prompt_id, f"label-{number}", change, permit=lambda _: None)
    path = f"/prompts/{edge.prompt_id}/labels"
    answer = await edge.call("editor", "PUT", f"{path}/one-more", json={"version": version_id})
    assert (answer.status_code, answer.json()["code"]) == (409, "label_limit")
    items = (await edge.call("viewer", "GET", path)).json()
    assert (len(items["items"]), items["next_cursor"]) == (MAX_LABELS, None)
