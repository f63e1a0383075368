"""Any point of the past over REST: the text, who wrote it, and when who worked on it."""

import pytest

from crdt.offsets import utf16_length
from tests.server.api.edge import TEXT, Edge

EMOJI = TEXT.index("😀")


async def edit(edge: Edge, name: str, find: str, replace: str) -> None:
    body = {"edits": [{"find": find, "replace": replace}]}
    answer = await edge.call(name, "POST", f"/prompts/{edge.prompt_id}/edits", json=body)
    assert answer.status_code == 200, answer.text


async def get(edge: Edge, path: str, name: str = "viewer") -> dict[str, object]:
    answer = await edge.call(name, "GET", f"/prompts/{edge.prompt_id}{path}")
    assert answer.status_code == 200, answer.text
    body: dict[str, object] = answer.json()
    return body


async def written(edge: Edge, ref: str = "live") -> list[tuple[str, str, str, int]]:
    """Who wrote what: (name, kind, text, seq)."""
    blame = await get(edge, f"/blame?ref={ref}")
    content = str((await get(edge, f"/at/{blame['seq']}"))["content"]).encode("utf-16-le")
    spans = blame["spans"]
    assert isinstance(spans, list)
    return [
        (one["user"]["name"], one["kind"], content[2 * one["start"] : 2 * one["end"]].decode("utf-16-le"), one["seq"])
        for one in spans
    ]


async def test_the_text_after_each_edit_may_be_kept_for_ever(edge: Edge) -> None:
    edge.clock.advance(60)
    await edit(edge, "editor", "goodbye", "farewell 🎉")
    answer = await edge.call("viewer", "GET", f"/prompts/{edge.prompt_id}/at/1")
    assert answer.json()["content"] == TEXT
    assert answer.json()["kind"] == "created"
    assert answer.headers["cache-control"] == "private, immutable, max-age=31536000"
    assert answer.headers["etag"] == '"1"'
    assert "Authorization" in answer.headers["vary"], "a browser may have several people one after another"
    now = await get(edge, "/at/2")
    assert now["content"] == TEXT.replace("goodbye", "farewell 🎉")
    assert (now["seq"], now["kind"]) == (2, "api")
    assert now["user"]["id"] == str(edge.people["editor"].user_id)  # type: ignore[index]
    assert now["created_at"] == edge.clock.utc().strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("path", ["/at/2", "/at/9007199254740991", "/blame?ref=at:2", "/blame?ref=at:0"])
async def test_a_point_that_the_journal_does_not_reach_is_not_found(edge: Edge, path: str) -> None:
    answer = await edge.call("viewer", "GET", f"/prompts/{edge.prompt_id}{path}")
    assert (answer.status_code, answer.json()["code"], answer.json()["head_seq"]) == (404, "seq_not_found", 1)


@pytest.mark.parametrize("path", ["/at/0", "/at/-1", "/at/x", "/at/9007199254740992"])
async def test_what_is_no_seq_is_refused(edge: Edge, path: str) -> None:
    answer = await edge.call("viewer", "GET", f"/prompts/{edge.prompt_id}{path}")
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")


@pytest.mark.parametrize("ref", ["nowhere", "at:", "at:x", "at:-1", "at:²", f"at:{'9' * 50}", "LATEST"])
async def test_a_ref_that_names_nothing_is_not_found(edge: Edge, ref: str) -> None:
    answer = await edge.call("viewer", "GET", f"/prompts/{edge.prompt_id}/blame?ref={ref}")
    assert (answer.status_code, answer.json()["status"]) == (404, 404)


async def test_blame_says_who_wrote_each_part_and_how_it_came(edge: Edge) -> None:
    await edit(edge, "editor", "😀", "😀🎉é")
    await edit(edge, "owner", "goodbye", "farewell")
    owner = (await get(edge, "/at/1"))["user"]["name"]  # type: ignore[index]
    assert await written(edge) == [
        (owner, "created", TEXT[: EMOJI + 1], 1),
        ("Editor", "api", "🎉é", 2),
        (owner, "created", ", then say ", 1),
        (owner, "api", "farewell", 3),
        (owner, "created", ".\n", 1),
    ]
    assert await written(edge, "at:1") == [(owner, "created", TEXT, 1)]


async def test_the_spans_of_a_text_leave_nothing_out(edge: Edge) -> None:
    await edit(edge, "editor", "😀", "")
    blame = await get(edge, "/blame?ref=at:2")
    assert (blame["ref"], blame["seq"]) == ("at:2", 2)
    spans = blame["spans"]
    assert isinstance(spans, list)
    assert [span["start"] for span in spans] == [0, *(span["end"] for span in spans[:-1])]
    assert spans[-1]["end"] == utf16_length(TEXT) - 2
    assert spans[0]["user"].keys() == {"id", "name", "color"}


async def test_what_is_written_side_by_side_is_one_span_until_somebody_pauses(edge: Edge) -> None:
    await edit(edge, "editor", "goodbye", "goodbyeX")
    edge.clock.advance(240)
    await edit(edge, "editor", "goodbyeX", "goodbyeXY")
    edge.clock.advance(400)
    await edit(edge, "editor", "goodbyeXY", "goodbyeXYZ")
    theirs = [(text, seq) for name, _, text, seq in await written(edge) if name == "Editor"]
    assert theirs == [("XY", 3), ("Z", 4)]


async def test_blame_takes_a_version_and_a_label(edge: Edge) -> None:
    version_id = await edge.make_history()
    await edit(edge, "editor", "goodbye", "farewell")
    expected = await written(edge, "at:1")
    for ref in (version_id, version_id[:7], "latest", "production"):
        assert await written(edge, ref) == expected


async def test_the_timeline_tells_sessions_page_by_page(edge: Edge) -> None:
    for minutes, name in ((1, "editor"), (30, "owner"), (5, "editor"), (40, "editor")):
        edge.clock.advance(60 * minutes)
        await edit(edge, name, "goodbye", f"{name[0]}goodbye")
    whole = await get(edge, "/timeline")
    items = whole["items"]
    assert isinstance(items, list)
    assert [(one["from_seq"], one["to_seq"], len(one["users"])) for one in items] == [(5, 5, 1), (3, 4, 2), (1, 2, 2)]
    assert whole["next_cursor"] is None
    assert items[1]["kinds"] == ["api"]
    assert (items[1]["inserted"], items[1]["deleted"]) == (2, 0)
    assert items[1]["started_at"] < items[1]["ended_at"] < items[0]["started_at"]
    first = await get(edge, "/timeline?limit=1")
    rest = await get(edge, f"/timeline?limit=2&cursor={first['next_cursor']}")
    assert [*first["items"], *rest["items"]] == items  # type: ignore[misc]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize("cursor", ["0", "2", "x", "-1", "1" * 99, "²"])
async def test_a_cursor_that_nobody_gave_out_is_refused(edge: Edge, cursor: str) -> None:
    answer = await edge.call("viewer", "GET", f"/prompts/{edge.prompt_id}/timeline?cursor={cursor}")
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")
