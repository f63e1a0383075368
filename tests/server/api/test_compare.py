"""Two states of a prompt side by side, over REST."""

import asyncio
import time
from random import Random
from typing import Any

import httpx2
import pytest

from server.limits import HEAVY_BYTES, MAX_COMPARED_LENGTH
from tests.server.api.edge import TEXT, Edge


async def make(edge: Edge, message: str = "A version") -> str:
    answer = await edge.call("editor", "POST", f"/prompts/{edge.prompt_id}/versions", json={"message": message})
    return str(answer.json()["id"])


async def write(edge: Edge, *edits: dict[str, object]) -> None:
    answer = await edge.call("editor", "POST", f"/prompts/{edge.prompt_id}/edits", json={"edits": list(edits)})
    assert answer.status_code == 200, answer.text


async def compared(edge: Edge, a: str, b: str, name: str = "viewer") -> httpx2.Response:
    return await edge.call(name, "GET", f"/prompts/{edge.prompt_id}/compare/{a}...{b}")


async def comparison(edge: Edge, a: str, b: str) -> dict[str, Any]:
    answer = await compared(edge, a, b)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_version_and_the_live_text(edge: Edge) -> None:
    first = await make(edge)
    front_matter = {"start": 0, "end": 0, "text": "---\nmodel: one\n---\n"}
    await write(edge, {"find": "goodbye", "replace": "{{farewell}}"}, front_matter)
    found = await comparison(edge, first[:8], "live")
    assert found["a"] == {"ref": first[:8], "version_id": first, "seq": 1}
    assert found["b"] == {"ref": "live", "version_id": None, "seq": 2}
    assert found["stats"] == {"additions": 4, "deletions": 1}
    assert found["variables"] == {"added": ["farewell"], "removed": []}
    assert found["config"] == [{"path": "model", "kind": "added", "before": None, "after": "one"}]
    assert (found["config_problems"], found["tokens"]) == ([], {"a": 11, "b": 17})
    assert found["unified"].startswith("diff --git a/greeting.prompt b/greeting.prompt\n")
    (hunk,) = found["hunks"]
    assert (hunk["a_start"], hunk["a_lines"], hunk["b_start"], hunk["b_lines"]) == (1, 1, 1, 4)
    assert [line["kind"] for line in hunk["lines"]] == ["removed", *["added"] * 4]
    removed = hunk["lines"][0]
    assert (removed["text"], removed["has_newline"]) == (TEXT.rstrip("\n"), True)
    goodbye = len(TEXT[: TEXT.index("goodbye")].encode("utf-16-le")) // 2
    assert {"start": goodbye, "end": goodbye + 7} in removed["spans"]


async def test_a_state_and_itself_differ_in_nothing(edge: Edge) -> None:
    await make(edge)
    found = await comparison(edge, "latest", "latest")
    assert (found["hunks"], found["unified"], found["config"]) == ([], "", [])


async def test_what_ids_name_can_be_kept(edge: Edge) -> None:
    first = await make(edge)
    await write(edge, {"start": 0, "end": 0, "text": "x"})
    second = await make(edge)
    kept = await compared(edge, first, second)
    assert "immutable" in kept.headers["cache-control"]
    for a, b in ((first, "latest"), ("live", second), (first, second[:10])):
        assert "must-revalidate" in (await compared(edge, a, b)).headers["cache-control"]


@pytest.mark.parametrize(("a", "b"), [("latest", "live"), ("live", "nowhere"), ("1234567", "live"), ("live", "a..b")])
async def test_what_names_nothing_is_not_found(edge: Edge, a: str, b: str) -> None:
    answer = await compared(edge, a, b)
    assert (answer.status_code, answer.json()["code"]) == (404, "version_not_found")


async def test_another_organizations_prompt_is_not_there(edge: Edge) -> None:
    answer = await compared(edge, "live", "live", "stranger")
    assert (answer.status_code, answer.json()["code"]) == (404, "prompt_not_found")


async def test_front_matter_that_is_no_yaml_is_reported(edge: Edge) -> None:
    await make(edge)
    await write(edge, {"start": 0, "end": 0, "text": "---\nmodel: [\n---\n"})
    found = await comparison(edge, "latest", "live")
    assert found["config_problems"] == [{"side": "b", "line": 3, "column": 1, "reason": "not YAML"}]


async def test_texts_beyond_the_bound_are_refused(edge: Edge) -> None:
    half = "x" * (MAX_COMPARED_LENGTH // 4)
    for _ in range(2):
        await write(edge, {"start": 0, "end": 0, "text": half})
    answer = await compared(edge, "live", "live")
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_large_texts_are_compared_beside_the_event_loop(edge: Edge, rng: Random) -> None:
    def text() -> str:
        return "".join(rng.choices("ab \n", k=HEAVY_BYTES))

    await write(edge, {"start": 0, "end": 0, "text": text()})
    await make(edge)
    await write(edge, {"start": 0, "end": HEAVY_BYTES, "text": text()})
    # The process that compares is started before, as it is after the first request of a server.
    await comparison(edge, "latest", "latest")
    longest, comparing = 0.0, asyncio.create_task(compared(edge, "latest", "live"))
    while not comparing.done():
        started = time.perf_counter()
        await asyncio.sleep(0)
        longest = max(longest, time.perf_counter() - started)
    assert (await comparing).status_code == 200
    assert longest < 0.25
