"""Labels over REST: compare-and-set, protection, history."""

import asyncio
from itertools import product

import pytest

from server.access import Role
from server.history.label_rules import is_label_name
from tests.server.api.edge import TEXT, Edge
from tests.server.api.test_versions import Json, made, write


@pytest.fixture
async def versions(edge: Edge) -> list[str]:
    """Three versions of the prompt."""
    ids = []
    for letter in "abc":
        await write(edge, letter)
        ids.append(str((await made(edge))["id"]))
    return ids


async def put(edge: Edge, body: object, *, by: str = "editor", name: str = "production") -> tuple[int, Json]:
    answer = await edge.call(by, "PUT", f"/prompts/{edge.prompt_id}/labels/{name}", json=body)
    return answer.status_code, answer.json()


async def labels(edge: Edge) -> dict[str, tuple[str, bool]]:
    items = (await edge.call("viewer", "GET", f"/prompts/{edge.prompt_id}/labels")).json()["items"]
    return {item["name"]: (item["version_id"], item["is_protected"]) for item in items}


async def test_a_label_is_created_moved_and_deleted(edge: Edge, versions: list[str]) -> None:
    status, label = await put(edge, {"version": versions[0][:9]})
    assert (status, label["version_id"], label["is_protected"]) == (201, versions[0], False)
    assert label["updated_by"]["name"] == "Editor"  # type: ignore[index]
    status, label = await put(edge, {"version": "latest"}, by="owner")
    assert (status, label["version_id"]) == (200, versions[2])
    assert (await put(edge, {"version": "production"}, name="staging"))[0] == 201, "a label may be named by a label"
    assert await labels(edge) == {"production": (versions[2], False), "staging": (versions[2], False)}
    path = f"/prompts/{edge.prompt_id}/labels/staging"
    assert (await edge.call("editor", "DELETE", path)).status_code == 204
    gone = await edge.call("editor", "DELETE", path)
    assert (gone.status_code, gone.json()["code"]) == (404, "label_not_found")
    assert await labels(edge) == {"production": (versions[2], False)}


async def test_every_change_is_kept_with_who_and_why(edge: Edge, versions: list[str]) -> None:
    await put(edge, {"version": versions[0], "reason": "The first 😀\n"})
    await put(edge, {"version": versions[0], "reason": "Nothing changes"})
    await put(edge, {"protected": True, "reason": "Careful"}, by="owner")
    path = f"/prompts/{edge.prompt_id}/labels/production"
    await edge.call("owner", "DELETE", f"{path}?reason=Gone")
    first = (await edge.call("viewer", "GET", f"{path}/history?limit=2")).json()
    rest = (await edge.call("viewer", "GET", f"{path}/history?cursor={first['next_cursor']}")).json()
    assert [
        (each["number"], each["from_id"], each["to_id"], each["is_protected"], each["reason"])
        for each in first["items"] + rest["items"]
    ] == [
        (3, versions[0], None, False, "Gone"),
        (2, versions[0], versions[0], True, "Careful"),
        (1, None, versions[0], False, "The first 😀"),
    ]
    assert rest["items"][0]["user"]["name"] == "Editor"
    never = await edge.call("viewer", "GET", f"/prompts/{edge.prompt_id}/labels/staging/history")
    assert (never.status_code, never.json()["code"]) == (404, "label_not_found")


async def test_of_two_who_move_a_label_at_once_one_hears_where_it_is(edge: Edge, versions: list[str]) -> None:
    await put(edge, {"version": versions[0], "expected": None})
    answers = await asyncio.gather(
        put(edge, {"version": versions[1], "expected": versions[0]}),
        put(edge, {"version": versions[2], "expected": versions[0]}, by="owner"),
    )
    (lost,) = [answer for status, answer in answers if status == 409]
    (won,) = [answer for status, answer in answers if status == 200]
    assert (lost["code"], lost["version_id"]) == ("label_moved", won["version_id"])


async def test_a_label_that_is_elsewhere_is_a_conflict(edge: Edge, versions: list[str]) -> None:
    status, answer = await put(edge, {"version": versions[0], "expected": versions[1]})
    assert (status, answer["code"], answer["version_id"]) == (409, "label_moved", None)
    await put(edge, {"version": versions[0]})
    for expected in (None, versions[1]):
        status, answer = await put(edge, {"version": versions[1], "expected": expected})
        assert (status, answer["code"], answer["version_id"]) == (409, "label_moved", versions[0])
    path = f"/prompts/{edge.prompt_id}/labels/production?expected="
    refused = await edge.call("editor", "DELETE", path + versions[1])
    assert (refused.status_code, refused.json()["version_id"]) == (409, versions[0])
    assert (await edge.call("editor", "DELETE", path + versions[0])).status_code == 204


# Every way to change a label: what it needs, and what it leads to.
WAYS: dict[str, tuple[str, Json | None]] = {
    "create": ("PUT", {"version": "latest"}),
    "create, protected": ("PUT", {"version": "latest", "protected": True}),
    "move": ("PUT", {"version": "latest"}),
    "move and protect": ("PUT", {"version": "latest", "protected": True}),
    "move and unprotect": ("PUT", {"version": "latest", "protected": False}),
    "protect": ("PUT", {"protected": True}),
    "unprotect": ("PUT", {"protected": False}),
    "touch": ("PUT", {}),
    "delete": ("DELETE", None),
}


def refusal(way: str, role: Role, *, is_protected: bool) -> str | None:
    """Answer the code that the rules lead to, worked out anew: None where the way is open."""
    if role is Role.VIEWER:
        return "forbidden"
    if role is Role.OWNER:
        return None
    if is_protected or way in {"create, protected", "move and protect", "protect"}:
        return "label_protected"
    return None


# What does not exist is not protected.
CASES = [
    case for case in product(WAYS, Role, [False, True], [False, True]) if not (case[3] and case[0].startswith("create"))
]


@pytest.mark.slow
@pytest.mark.parametrize(("way", "role", "by_token", "is_protected"), CASES)
async def test_a_label_changes_only_as_the_rules_allow(
    edge: Edge, way: str, role: Role, *, by_token: bool, is_protected: bool
) -> None:
    """Every way, with the role of a membership and with a token that is capped to it, protected and not."""
    exists = not way.startswith("create")
    first = await edge.make_history()
    await write(edge, "x", "owner")
    latest = str((await made(edge, "owner"))["id"])
    name = "production" if exists else "canary"
    await put(edge, {"protected": is_protected}, by="owner")
    before = await labels(edge)
    token = edge.token("owner", cap=role) if by_token else edge.token(role.value)
    method, body = WAYS[way]
    path = f"/prompts/{edge.prompt_id}/labels/{name}"
    answer = await edge.call(None, method, path, json=body, headers={"Authorization": f"Bearer {token}"})
    expected = refusal(way, role, is_protected=is_protected)
    if expected is not None:
        assert (answer.status_code, answer.json()["code"]) == (403, expected)
        assert await labels(edge) == before
        return
    assert answer.status_code in {200, 201, 204}, answer.text
    after = (await labels(edge)).get(name)
    protection = {"protect": True, "unprotect": False}.get(way.rpartition(" ")[2], is_protected)
    protection = True if way == "create, protected" else protection
    moved = latest if way.startswith(("create", "move")) else first
    assert after == (None if way == "delete" else (moved, protection))


@pytest.mark.parametrize("name", ["production", "v1", "a.b-c_d", "deadbe", "x" * 64, "0.9", "feature-é"[:8]])
def test_a_good_name_is_taken(name: str) -> None:
    assert is_label_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "A",
            "-a",
            ".a",
            "a.",
            "a..b",
            "a.lock",
            "a/b",
            "a b",
            "é",
            "a\n",
            "x" * 65,
            "@",
            "a@{",
            "~a",
            "a^",
            "a:b",
        ),
        *("live", "latest", "main", "head", "deadbee", "1234567", "f" * 40),
    ],
)
def test_a_name_that_means_something_else_or_nothing_to_git_is_not_taken(name: str) -> None:
    assert not is_label_name(name)


@pytest.mark.parametrize("name", ["Production", "latest", "deadbee", "a..b"])
async def test_a_name_that_is_not_taken_says_what_is(edge: Edge, name: str) -> None:
    await edge.make_history()
    status, answer = await put(edge, {"version": "latest"}, name=name)
    assert (status, answer["code"]) == (422, "request_invalid")
    assert "lower-case" in str(answer["detail"])


async def test_what_a_label_cannot_name_is_said(edge: Edge) -> None:
    status, answer = await put(edge, {"version": "latest"})
    assert (status, answer["code"]) == (404, "version_not_found")
    status, answer = await put(edge, {"version": "live"})
    assert (status, answer["errors"][0]["field"]) == (422, "body.version")  # type: ignore[index]
    status, answer = await put(edge, {"protected": True}, by="owner")
    assert (status, answer["code"]) == (404, "label_not_found")
    assert await edge.text() == TEXT
