"""The live text, and edits by programs beside people who are typing."""

import asyncio

import pytest

from crdt.document import Document
from persistence.edits import EditKind
from server.limits import MAX_EDITS_PER_REQUEST
from tests.server.api.edge import TEXT, Edge


async def edit(edge: Edge, *edits: dict[str, object], base_seq: int | None = None) -> tuple[int, dict[str, object]]:
    body: dict[str, object] = {"edits": list(edits)}
    if base_seq is not None:
        body["base_seq"] = base_seq
    answer = await edge.call("editor", "POST", f"/prompts/{edge.prompt_id}/edits", json=body)
    return answer.status_code, answer.json()


async def test_a_text_is_found_and_replaced(edge: Edge) -> None:
    status, answer = await edit(edge, {"find": "goodbye", "replace": "farewell"})
    assert (status, answer["head_seq"]) == (200, 2)
    assert answer["content"] == await edge.text() == TEXT.replace("goodbye", "farewell")


async def test_the_edit_is_the_callers_in_the_journal(edge: Edge) -> None:
    await edit(edge, {"find": "goodbye", "replace": "farewell"}, {"start": 0, "end": 3, "text": "Shout"})
    first, second = await edge.store.journal.read(edge.prompt_id)
    assert (second.seq, second.user_id, second.kind) == (2, edge.people["editor"].user_id, EditKind.API)
    document = Document(first.update)
    document.apply([second.update])
    assert document.text == "Shout" + TEXT[3:].replace("goodbye", "farewell")


@pytest.mark.parametrize(("find", "found"), [("nowhere", 0), ("say", 1), ("a", 2), (" ", 6), ("{", 2), ("{{{", 0)])
async def test_what_is_not_there_once_is_a_conflict_that_says_how_often(edge: Edge, find: str, found: int) -> None:
    status, answer = await edit(edge, {"find": "goodbye", "replace": "X"}, {"find": find, "replace": "Y"})
    if found == 1:
        assert status == 200
        return
    assert (status, answer["code"]) == (409, "edit_conflict")
    assert (answer["edit"], answer["found"]) == (1, TEXT.count(find))
    assert await edge.text() == TEXT, "one edit that does not fit stops all of them"


async def test_offsets_are_utf_16_and_mean_the_text_before_all_edits(edge: Edge) -> None:
    emoji = TEXT.index("😀")
    status, answer = await edit(
        edge,
        {"start": emoji + 2, "end": emoji + 2, "text": "😀"},
        {"start": 0, "end": 3, "text": ""},
        {"start": emoji, "end": emoji + 2, "text": "you"},
    )
    assert status == 200
    assert answer["content"] == TEXT[3:].replace("😀", "you😀")


@pytest.mark.parametrize(
    ("start", "end"), [(TEXT.index("😀") + 1, TEXT.index("😀") + 1), (0, 10_000), (10_000, 10_000)]
)
async def test_offsets_that_name_no_place_are_a_conflict(edge: Edge, start: int, end: int) -> None:
    status, answer = await edit(edge, {"start": start, "end": end, "text": "X"})
    assert (status, answer["code"], answer["edit"]) == (409, "edit_conflict", 0)


async def test_edits_that_overlap_are_a_conflict(edge: Edge) -> None:
    status, answer = await edit(edge, {"start": 2, "end": 6, "text": "X"}, {"start": 0, "end": 3, "text": "Y"})
    assert (status, answer["code"]) == (409, "edit_conflict")
    touching = await edit(edge, {"start": 0, "end": 3, "text": "X"}, {"start": 3, "end": 4, "text": "Y"})
    assert touching[0] == 200


async def test_an_edit_for_an_older_text_is_a_conflict(edge: Edge) -> None:
    assert (await edit(edge, {"start": 0, "end": 0, "text": "X"}, base_seq=1))[0] == 200
    status, answer = await edit(edge, {"start": 0, "end": 0, "text": "Y"}, base_seq=1)
    assert (status, answer["code"], answer["head_seq"]) == (409, "edit_conflict", 2)


async def test_carriage_returns_do_not_enter_the_text(edge: Edge) -> None:
    _, answer = await edit(edge, {"start": 0, "end": 0, "text": "one\r\ntwo\rthree\n"})
    assert answer["content"] == f"one\ntwo\nthree\n{TEXT}"
    status, answer = await edit(edge, {"find": "one\r\ntwo", "replace": "1\r\n2"})
    assert (status, answer["content"]) == (200, f"1\n2\nthree\n{TEXT}")


async def test_an_edit_that_changes_nothing_is_not_stored(edge: Edge) -> None:
    assert await edit(edge, {"find": "goodbye", "replace": "goodbye"}) == (200, {"head_seq": 1, "content": TEXT})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"edits": []}, "body.edits"),
        ({"edits": [{"start": 0, "end": 0, "text": ""}] * (MAX_EDITS_PER_REQUEST + 1)}, "body.edits"),
        ({"edits": [{"find": "a"}]}, "body.edits.0.replace"),
        ({"edits": [{"find": "", "replace": "b"}]}, "body.edits.0.find"),
        ({"edits": [{"start": 3, "end": 1, "text": ""}]}, "body.edits.0"),
        ({"edits": [{"start": -1, "end": 1, "text": ""}]}, "body.edits.0.start"),
        ({"edits": [{"start": 0, "end": 1, "text": "", "find": "a"}]}, "body.edits.0.replace"),
        ({"edits": [7]}, "body.edits.0"),
        ({"edits": [{"find": "a", "replace": "b"}], "base_seq": -1}, "body.base_seq"),
    ],
)
async def test_a_field_that_is_not_valid_is_named(edge: Edge, body: object, field: str) -> None:
    answer = await edge.call("editor", "POST", f"/prompts/{edge.prompt_id}/edits", json=body)
    assert answer.status_code == 422
    assert field in {each["field"] for each in answer.json()["errors"]}


async def test_many_edits_at_once_all_arrive(edge: Edge) -> None:
    answers = await asyncio.gather(*(edit(edge, {"start": 0, "end": 0, "text": f"<{n}>"}) for n in range(20)))
    assert {status for status, _ in answers} == {200}
    text = await edge.text()
    assert text.endswith(TEXT)
    assert sorted(text.removesuffix(TEXT).removeprefix("<").removesuffix(">").split("><"), key=int) == [
        str(n) for n in range(20)
    ]
