"""A request that is sent twice under one key is carried out once."""

import asyncio
from typing import Any

import httpx2
import pytest

from persistence.errors import StoreUnavailable
from tests.server.api.edge import TEXT, Edge
from tests.support.waiting import wait_until

KEY = {"Idempotency-Key": "7d3f"}
PROMPT = {"name": "Once", "content": "text"}


async def count(edge: Edge, path: str) -> int:
    return len((await edge.call("owner", "GET", path)).json()["items"])


async def test_a_repetition_gets_the_first_answer_and_does_nothing(edge: Edge) -> None:
    before = await count(edge, "/prompts")
    answers = [await edge.call("editor", "POST", "/prompts", json=PROMPT, headers=KEY) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    for header in ("etag", "location", "content-type"):
        assert len({answer.headers[header] for answer in answers}) == 1
    assert await count(edge, "/prompts") == before + 1


async def test_another_request_under_the_key_is_refused(edge: Edge) -> None:
    await edge.call("editor", "POST", "/prompts", json=PROMPT, headers=KEY)
    for path, body in (("/prompts", {"name": "Twice"}), ("/projects", {"name": "Once"})):
        answer = await edge.call("editor", "POST", path, json=body, headers=KEY)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_key_belongs_to_its_user(edge: Edge) -> None:
    first = await edge.call("editor", "POST", "/prompts", json=PROMPT, headers=KEY)
    second = await edge.call("owner", "POST", "/prompts", json=PROMPT, headers=KEY)
    assert first.json()["id"] != second.json()["id"]


async def test_of_many_at_once_one_is_carried_out(edge: Edge) -> None:
    before = await count(edge, "/prompts")
    calls = [edge.call("editor", "POST", "/prompts", json=PROMPT, headers=KEY) for _ in range(5)]
    answers = await asyncio.gather(*calls)
    assert await count(edge, "/prompts") == before + 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"idempotency_in_progress"}


async def test_what_failed_can_be_sent_again(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"/prompts/{edge.prompt_id}/edits"
    body = {"edits": [{"find": "hello", "replace": "bye"}]}
    assert (await edge.call("editor", "POST", path, json=body, headers=KEY)).status_code == 409
    await edge.call("editor", "POST", path, json={"edits": [{"start": 0, "end": 0, "text": "hello "}]})
    assert (await edge.call("editor", "POST", path, json=body, headers=KEY)).status_code == 200

    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("away")

    other = {"Idempotency-Key": "8e4a"}
    with monkeypatch.context() as patched:
        patched.setattr(edge.store.projects, "create", away)
        failed = await edge.call("editor", "POST", "/projects", json={"name": "P"}, headers=other)
        assert (failed.status_code, failed.json()["code"]) == (503, "store_unavailable")
        assert failed.headers["retry-after"]
    assert (await edge.call("editor", "POST", "/projects", json={"name": "P"}, headers=other)).status_code == 201


async def test_an_edit_is_made_once(edge: Edge) -> None:
    path, body = f"/prompts/{edge.prompt_id}/edits", {"edits": [{"start": 0, "end": 0, "text": "X"}]}
    answers = [await edge.call("editor", "POST", path, json=body, headers=KEY) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert (await edge.text()).count("X") == 1


async def test_no_link_is_kept_for_a_repetition(edge: Edge) -> None:
    body = {"name": "Ada", "role": "viewer"}
    first, second = [await edge.call("owner", "POST", "/members", json=body, headers=KEY) for _ in range(2)]
    assert first.json()["invitation"]["url"]
    assert second.json() == first.json() | {"invitation": None}


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb"])
async def test_a_key_that_is_not_valid_is_named(edge: Edge, key: str) -> None:
    answer = await edge.call("editor", "POST", "/projects", json={"name": "P"}, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "header.idempotency-key")


async def test_an_edit_that_was_stored_without_anybody_hearing_so_is_not_made_again(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = edge.store.journal.append

    def answers_nothing(*arguments: Any) -> asyncio.Future[int]:  # noqa: ANN401 - whatever an append takes
        lost: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        append(*arguments).add_done_callback(lambda _: lost.set_exception(StoreUnavailable("no answer")))
        return lost

    path, body = (
        f"/prompts/{edge.prompt_id}/edits",
        {"edits": [{"start": 0, "end": 0, "text": "Once. "}], "base_seq": 1},
    )
    monkeypatch.setattr(edge.store.journal, "append", answers_nothing)
    first = await edge.call("editor", "POST", path, json=body, headers=KEY)
    assert (first.status_code, first.json()["code"]) == (503, "store_unavailable")
    monkeypatch.undo()

    answers: list[httpx2.Response] = []

    async def answered() -> bool:
        # As a program does: it comes again while the answer is 503.
        answers.append(await edge.call("editor", "POST", path, json=body, headers=KEY))
        return answers[-1].status_code != 503

    await wait_until(answered, what="another answer than 503")
    assert answers[-1].status_code == 200
    assert answers[-1].json() == {"head_seq": 2, "content": f"Once. {TEXT}"}
    # Another request is another edit.
    other = await edge.call("editor", "POST", path, json=body | {"base_seq": 2}, headers={"Idempotency-Key": "8e4b"})
    assert other.json()["content"] == f"Once. Once. {TEXT}"
