"""However people edit, leave, undo and come back, every character is laid to whoever inserted it.

Two oracles, neither of which knows our replay. Yjs keeps in each item the id of the client that inserted it, and a
client id is bound to one person. And each person types an alphabet of their own: where nobody takes back a deletion,
the text itself says who wrote it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest

from crdt.offsets import utf16_length
from tests.convergence.clients import OnYjs
from tests.convergence.plan import EDITS, NOBODY, VIEWERS_MARK, Do, Kind, Plan, Seat, Step, make_plan
from tests.convergence.session import Outcome, run
from tests.convergence.world import World, world
from tests.support.people import beside
from tests.support.waiting import wait_until

_AT_ONCE = 3
_STEPS = 260
_LONGEST_PASTE = 60
_BY_REST = 0
"""Which writer the edits over REST are by."""


@dataclass(frozen=True, slots=True)
class Held:
    """What was held against the oracles."""

    edits: int
    characters: int

    def __add__(self, other: "Held") -> "Held":
        return Held(self.edits + other.edits, self.characters + other.characters)


def alphabet(person: int) -> str:
    """Characters of one to four bytes in UTF-8, of one and two units in UTF-16, that nobody else types."""
    return "".join(chr(first + person * 5 + more) for first in (0x41, 0xC0, 0x4E00, 0x1F600) for more in range(5))


def with_alphabets(plan: Plan) -> Plan:
    """The plan, with everybody typing their own alphabet."""
    random = Random(f"alphabets {plan.seed}")

    def typed(step: Step) -> Step:
        if not step.text or VIEWERS_MARK in step.text:
            return step
        person = _BY_REST if step.seat == NOBODY else plan.seats[step.seat].person
        text = "".join(random.choices(alphabet(person), k=min(len(step.text), 12)))
        return replace(step, text=text, repeat=min(step.repeat, _LONGEST_PASTE))

    return replace(plan, content="", steps=tuple(typed(step) for step in plan.steps))


async def blamed(around: World, prompt_id: UUID, ref: str) -> list[UUID]:
    """Whose each UTF-16 unit is, as REST says."""
    spans = (await ask(around, "GET", f"/prompts/{prompt_id}/blame?ref={ref}"))["spans"]
    assert [span["start"] for span in spans] == [0, *(span["end"] for span in spans)][: len(spans)]
    return [UUID(span["user"]["id"]) for span in spans for _ in range(span["end"] - span["start"])]


async def kept_by_yjs(around: World, prompt_id: UUID, text: str) -> list[UUID]:
    """Whose each UTF-16 unit is, as Yjs keeps it."""
    async with beside(around.server.database_url) as store:
        bindings = await store.journal.bindings(prompt_id)
    client = around.client(Seat(Kind.YJS_EXTENDED, views=False, person=0), prompt_id, Random(0))
    assert isinstance(client, OnYjs)
    client.connect()
    try:

        async def shows_it() -> bool:
            return (await client.report()).text == text

        await wait_until(shows_it, what="a new client to show the text", seconds=60.0)
        return [bindings[author] for length, author in await client.authors() for _ in range(length)]
    finally:
        await client.close()


async def hold(plan: Plan, outcome: Outcome, around: World) -> Held:
    """Hold what is said of the authors of a session against the oracles."""
    expected = await kept_by_yjs(around, outcome.prompt_id, outcome.text)
    said = await blamed(around, outcome.prompt_id, "live")
    assert said == expected, f"seed {plan.seed}: {misattributed(said, expected)} units are laid at another's door"
    if not any(step.do in {Do.UNDO, Do.REDO} for step in plan.steps):
        await hold_the_past(plan, around, outcome.prompt_id)
    await bring_back(around, outcome)
    expected = await kept_by_yjs(around, outcome.prompt_id, outcome.text)
    assert await blamed(around, outcome.prompt_id, "live") == expected
    return Held(sum(step.do in EDITS | {Do.REST_EDIT} for step in plan.steps), len(outcome.text))


async def hold_the_past(plan: Plan, around: World, prompt_id: UUID) -> None:
    """Hold what is said of points on the way against the alphabets."""
    head = int((await ask(around, "GET", f"/prompts/{prompt_id}"))["head_seq"])
    for seq in {1, head, *Random(plan.seed).sample(range(1, head + 1), min(head, 5))}:
        text = str((await ask(around, "GET", f"/prompts/{prompt_id}/at/{seq}"))["content"])
        units = [unit for character in text for unit in [character] * (1 + (character > "\uffff"))]
        said = await blamed(around, prompt_id, f"at:{seq}")
        strangers = {unit for unit, user in zip(units, said, strict=True) if unit not in alphabet(around.person(user))}
        assert not strangers, f"seed {plan.seed}, seq {seq}: {strangers} are not by whom they are laid to"


async def bring_back(around: World, outcome: Outcome) -> None:
    """Make a version, delete what stands in it, and bring it back."""
    if not outcome.text:
        return
    path = f"/prompts/{outcome.prompt_id}"
    version = await ask(around, "POST", f"{path}/versions", {"message": "All of it"})
    half = utf16_length(outcome.text[: len(outcome.text) // 2])
    await ask(around, "POST", f"{path}/edits", {"edits": [{"start": 0, "end": half, "text": ""}]})
    restored = await ask(around, "POST", f"{path}/versions/{version['id']}/revert", {})
    assert restored["content"] == outcome.text
    spans = (await ask(around, "GET", f"{path}/blame"))["spans"]
    assert sum(span["end"] - span["start"] for span in spans if span["kind"] == "restored") >= half


async def ask(around: World, method: str, path: str, json: object = None) -> dict[str, Any]:
    """What REST answers to one of the writers."""
    answer = await around.rest.ask(method, f"/api/v1{path}", json=json)
    assert answer is not None
    assert answer.is_success, answer.text
    said: dict[str, Any] = answer.json()
    return said


def misattributed(said: Sequence[UUID], expected: Sequence[UUID]) -> int:
    """How many units are laid to somebody else."""
    return abs(len(said) - len(expected)) + sum(one != other for one, other in zip(said, expected, strict=False))


async def campaign(plans: Sequence[Plan], directory: Path, database_url: str) -> Held:
    """Run plans, some at a time, and hold each against the oracles."""
    async with world(directory, database_url) as around:
        free = asyncio.Semaphore(_AT_ONCE)

        async def one(plan: Plan) -> Outcome:
            async with free:
                return await run(plan, around)

        async with asyncio.TaskGroup() as sessions:
            running = [sessions.create_task(one(plan)) for plan in plans]
        # When all have ended: until then any session may have the server killed.
        held = [await hold(plan, session.result(), around) for plan, session in zip(plans, running, strict=True)]
        assert await around.server.terminate() == 0
        assert not around.server.complaints
        return sum(held, Held(0, 0))


def without_undo(plan: Plan) -> Plan:
    """The plan without anything that is taken back."""
    return replace(plan, steps=tuple(step for step in plan.steps if step.do not in {Do.UNDO, Do.REDO}))


def plans(first: int, count: int) -> list[Plan]:
    """So many plans, every second one without undo."""
    made = [with_alphabets(make_plan(first + place, length=_STEPS)) for place in range(count)]
    return [plan if place % 2 else without_undo(plan) for place, plan in enumerate(made)]


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_no_character_is_laid_at_anothers_door_on_sqlite(seed: int, sqlite_url: str, tmp_path: Path) -> None:
    held = await campaign(plans(seed + 500, 14), tmp_path, sqlite_url)
    assert held.edits >= 2_000
    print(held)  # noqa: T201


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_no_character_is_laid_at_anothers_door_on_postgres(seed: int, postgres_url: str, tmp_path: Path) -> None:
    held = await campaign(plans(seed + 600, 4), tmp_path, postgres_url)
    assert held.edits > 500
    print(held)  # noqa: T201
