"""Versions over REST: made of the live text, listed, read by any ref, and brought back."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest

from persistence.edits import EditKind
from tests.server.api.edge import START, TEXT, Edge

Json = dict[str, object]


async def make(edge: Edge, name: str = "editor", message: str = "A version", **more: object) -> tuple[int, Json]:
    path = f"/prompts/{edge.prompt_id}/versions"
    answer = await edge.call(name, "POST", path, json={"message": message, **more})
    return answer.status_code, answer.json()


async def made(edge: Edge, name: str = "editor", message: str = "A version") -> Json:
    status, version = await make(edge, name, message)
    assert status == 201, version
    return version


async def write(edge: Edge, text: str, name: str = "editor") -> None:
    """Put text in front of what is there."""
    edits = {"edits": [{"start": 0, "end": 0, "text": text}]}
    answer = await edge.call(name, "POST", f"/prompts/{edge.prompt_id}/edits", json=edits)
    assert answer.status_code == 200


async def read(edge: Edge, ref: object, **headers: str) -> tuple[int, Json]:
    answer = await edge.call("viewer", "GET", f"/prompts/{edge.prompt_id}/versions/{ref}", headers=headers)
    return answer.status_code, answer.json()


def person(edge: Edge, name: str) -> tuple[object, object]:
    return str(edge.people[name].user_id), name.title()


def who(shown: object) -> tuple[object, object]:
    assert isinstance(shown, dict)
    return shown["id"], shown["name"]


async def test_a_version_says_whose_text_it_is(edge: Edge) -> None:
    await write(edge, "Hi! 😀\n")
    edge.clock.advance(0.75)
    version = await made(edge, message=" For 😀\r\n\r\nthe team\n")
    owner = (await edge.call("owner", "GET", "/me")).json()["user"]["name"]
    assert (version["number"], version["seq"], version["parent_ids"]) == (1, 2, [])
    assert (version["kind"], version["message"], version["labels"]) == ("manual", "For 😀\n\nthe team", [])
    assert who(version["author"]) == person(edge, "editor")
    assert [who(each) for each in version["co_authors"]] == [(str(edge.people["owner"].user_id), owner)]  # type: ignore[attr-defined]
    assert version["created_at"] == datetime.fromtimestamp(START, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_co_authors_are_those_who_wrote_since_the_version_before(edge: Edge) -> None:
    first = await made(edge, "owner")
    await write(edge, "a", "editor")
    await write(edge, "b", "owner")
    second = await made(edge, "owner")
    assert second["parent_ids"] == [first["id"]]
    assert [who(each) for each in second["co_authors"]] == [person(edge, "editor")]  # type: ignore[attr-defined]
    await write(edge, "c", "owner")
    third = await made(edge, "owner")
    assert third["co_authors"] == []


async def test_the_same_text_is_the_same_version(edge: Edge) -> None:
    first = await made(edge)
    edge.clock.advance(60)
    assert await make(edge, "owner", "Again") == (200, first)
    await write(edge, "x")
    second = await made(edge)
    assert await make(edge, expected_head=first["id"]) == (200, second)


async def test_a_version_after_another_than_expected_is_a_conflict(edge: Edge) -> None:
    status, answer = await make(edge, expected_head="0" * 40)
    assert (status, answer["code"], answer["head"]) == (409, "head_moved", None)
    first = await made(edge)
    await write(edge, "x")
    second = await made(edge)
    await write(edge, "y")
    status, answer = await make(edge, expected_head=first["id"])
    assert (status, answer["code"], answer["head"]) == (409, "head_moved", second["id"])
    status, third = await make(edge, expected_head=second["id"])
    assert (status, third["parent_ids"]) == (201, [second["id"]])


async def test_many_who_make_a_version_at_once_get_the_same_one(edge: Edge) -> None:
    answers = await asyncio.gather(*[make(edge, name) for name in ("editor", "owner") * 4])
    assert sorted(status for status, _ in answers) == [200] * 7 + [201]
    assert len({str(version["id"]) for _, version in answers}) == 1


async def test_versions_and_edits_at_once_make_one_chain(edge: Edge) -> None:
    async def work(name: str, letter: str) -> None:
        for _ in range(5):
            await write(edge, letter, name)
            await make(edge, name)

    await asyncio.gather(work("editor", "a"), work("owner", "b"))
    items = (await edge.call("viewer", "GET", f"/prompts/{edge.prompt_id}/versions")).json()["items"]
    assert [each["number"] for each in items] == list(range(len(items), 0, -1))
    assert [each["parent_ids"] for each in items] == [[each["id"]] for each in items[1:]] + [[]]
    assert items[0]["seq"] == 11
    assert (await read(edge, "latest"))[1]["content"] == await edge.text()


async def test_the_list_is_newest_first_with_labels_and_pages(edge: Edge) -> None:
    versions = []
    for letter in "abc":
        await write(edge, letter)
        versions.append(await made(edge, message=letter))
    path = f"/prompts/{edge.prompt_id}"
    await edge.call("editor", "PUT", f"{path}/labels/production", json={"version": versions[1]["id"]})
    first = (await edge.call("viewer", "GET", f"{path}/versions?limit=2")).json()
    assert [each["message"] for each in first["items"]] == ["c", "b"]
    assert [each["labels"] for each in first["items"]] == [[], ["production"]]
    second = (await edge.call("viewer", "GET", f"{path}/versions?limit=2&cursor={first['next_cursor']}")).json()
    assert (second["items"], second["next_cursor"]) == ([versions[0]], None)
    assert (await edge.call("viewer", "GET", f"{path}/versions?cursor=x")).status_code == 422


async def test_a_version_is_read_by_every_ref(edge: Edge) -> None:
    first = await made(edge)
    await write(edge, "One more line 😀\n")
    second = await made(edge)
    path = f"/prompts/{edge.prompt_id}/labels/production"
    await edge.call("editor", "PUT", path, json={"version": first["id"]})
    by_label, by_id = await read(edge, "production"), await read(edge, first["id"])
    assert by_label == by_id == await read(edge, str(first["id"])[:7])
    assert by_id[0] == 200
    assert by_id[1]["content"] == TEXT
    assert by_id[1]["stats"] == {"characters": len(TEXT), "lines": 1, "additions": 1, "deletions": 0}
    _, latest = await read(edge, "latest")
    assert latest["id"] == second["id"]
    assert latest["stats"] == {"characters": len(TEXT) + 16, "lines": 2, "additions": 1, "deletions": 0}


@pytest.mark.parametrize(
    "ref", ["latest", "live", "production", "0" * 40, "0" * 7, "0" * 6, "%00", "%F0%9F%98%80", "a" * 64]
)
async def test_a_ref_that_names_nothing_is_not_found(edge: Edge, ref: str) -> None:
    status, answer = await read(edge, ref)
    assert (status, answer["code"]) == (404, "version_not_found")


async def test_an_id_is_kept_for_ever_and_anything_else_as_long_as_its_etag_holds(edge: Edge) -> None:
    version = await made(edge)
    path = f"/prompts/{edge.prompt_id}"
    await edge.call("editor", "PUT", f"{path}/labels/production", json={"version": "latest"})
    tag = f'"{version["id"]}"'
    by_id = await edge.call("viewer", "GET", f"{path}/versions/{version['id']}")
    assert by_id.headers["cache-control"] == "private, immutable, max-age=31536000"
    for ref in ("production", "latest", str(version["id"])[:8]):
        fresh = await edge.call("viewer", "GET", f"{path}/versions/{ref}")
        assert fresh.headers["etag"] == tag
        assert "Authorization" in fresh.headers["vary"]
        assert fresh.headers["cache-control"] == "private, max-age=0, must-revalidate"
        for header in (tag, f'W/{tag}, "x"', "*"):
            known = await edge.call("viewer", "GET", f"{path}/versions/{ref}", headers={"If-None-Match": header})
            assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", tag)
    await write(edge, "x")
    await made(edge)
    stale = await edge.call("viewer", "GET", f"{path}/versions/latest", headers={"If-None-Match": tag})
    assert stale.status_code == 200
    again = await edge.call("viewer", "GET", f"{path}/versions/{version['id']}")
    assert again.content == by_id.content


async def test_what_is_kept_for_ever_does_not_change_with_labels_and_names(edge: Edge) -> None:
    version = await made(edge)
    before = await read(edge, version["id"])
    await edge.call("editor", "PUT", f"/prompts/{edge.prompt_id}/labels/production", json={"version": "latest"})
    await edge.call("editor", "PATCH", "/me", json={"name": "Somebody Else"})
    await edge.call("editor", "PATCH", f"/prompts/{edge.prompt_id}", json={"name": "Renamed"})
    assert await read(edge, version["id"]) == before


async def test_a_version_is_brought_back_as_an_edit_of_the_caller(edge: Edge) -> None:
    first = await made(edge)
    await write(edge, "In front 😀. ")
    path = f"/prompts/{edge.prompt_id}/versions"
    answer = await edge.call("editor", "POST", f"{path}/{first['id']}/revert", json={})
    assert answer.json() == {"head_seq": 3, "content": TEXT, "version": None}
    assert await edge.text() == TEXT
    entry = (await edge.store.journal.read(edge.prompt_id))[-1]
    assert (entry.user_id, entry.kind) == (edge.people["editor"].user_id, EditKind.RESTORED)
    assert await make(edge) == (200, first), "it has the content id of the version that was brought back"


async def test_bringing_back_what_is_there_changes_nothing(edge: Edge) -> None:
    await made(edge)
    for ref in ("latest", "live"):
        answer = await edge.call("editor", "POST", f"/prompts/{edge.prompt_id}/versions/{ref}/revert", json={})
        assert answer.json() == {"head_seq": 1, "content": TEXT, "version": None}


async def test_bringing_back_with_a_message_makes_a_version_of_it(edge: Edge) -> None:
    first = await made(edge)
    await write(edge, "x")
    second = await made(edge)
    path = f"/prompts/{edge.prompt_id}/versions/{first['id']}/revert"
    answer = (await edge.call("owner", "POST", path, json={"message": "Back"})).json()
    assert (answer["content"], answer["version"]["message"]) == (TEXT, "Back")
    assert (answer["version"]["parent_ids"], answer["version"]["number"]) == ([second["id"]], 3)
    assert who(answer["version"]["author"])[0] == str(edge.people["owner"].user_id)


async def test_a_request_that_is_sent_twice_is_carried_out_once(edge: Edge) -> None:
    first = await made(edge)
    await write(edge, "x")
    path = f"/prompts/{edge.prompt_id}/versions"
    for url, body in ((path, {"message": "m"}), (f"{path}/{first['id']}/revert", {"message": "m"})):
        one, two = [
            await edge.call("editor", "POST", url, json=body, headers={"Idempotency-Key": f"key of {url}"})
            for _ in range(2)
        ]
        assert (one.status_code, one.content) == (two.status_code, two.content)
    assert (await read(edge, "latest"))[1]["number"] == 3


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body.message"),
        ({"message": " \n"}, "body.message"),
        ({"message": "a\0"}, "body.message"),
        ({"message": "x" * 10_001}, "body.message"),
        ({"message": "m", "expected_head": "latest"}, "body.expected_head"),
        ({"message": "m", "seq": 1}, "body.seq"),
    ],
)
async def test_a_field_that_is_not_valid_is_named(edge: Edge, body: object, field: str) -> None:
    answer = await edge.call("editor", "POST", f"/prompts/{edge.prompt_id}/versions", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_a_version_of_another_prompt_is_not_this_ones(edge: Edge) -> None:
    version = await made(edge)
    other = (await edge.call("editor", "POST", "/prompts", json={"name": "Other"})).json()["id"]
    answer = await edge.call("viewer", "GET", f"/prompts/{other}/versions/{version['id']}")
    assert answer.status_code == 404
    answer = await edge.call("editor", "POST", f"/prompts/{other}/versions", json={"message": "Empty"})
    assert answer.status_code == 201
    detail = (await edge.call("viewer", "GET", f"/prompts/{UUID(other)}/versions/latest")).json()
    assert (detail["content"], detail["stats"]["lines"]) == ("", 0)
