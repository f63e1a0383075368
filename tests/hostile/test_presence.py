"""Presence that is too much, is not believed, or is somebody else's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crdt.awareness import AwarenessEntry, encode_awareness, read_awareness
from crdt.codec import write_var_bytes, write_var_string, write_var_uint
from crdt.messages import AwarenessUpdate
from server.limits import MAX_AWARENESS_ENTRIES, MAX_AWARENESS_STATE_BYTES
from tests.hostile.attacker import Attacker
from tests.hostile.memory import MIB, Memory
from tests.hostile.stage import ANN, BROWSER, Scene, Stage
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

MALFORMED = 4400
NOBODYS = 123_456


def payload(*entries: tuple[int, int, str]) -> bytes:
    """Presence with whatever numbers and states."""
    parts = [write_var_uint(client) + _any_varint(clock) + write_var_string(state) for client, clock, state in entries]
    return write_var_uint(len(entries)) + b"".join(parts)


def _any_varint(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


BOMBS: dict[str, bytes] = {
    "10,000 states": payload(*((client, 1, "{}") for client in range(1, 10_001))),
    "one state too many": payload(*((client, 1, "{}") for client in range(1, MAX_AWARENESS_ENTRIES + 2))),
    "a clock of 2^300": payload((NOBODYS, 2**300, "{}")),
    "a clock of 2^31": payload((NOBODYS, 2**31, "{}")),
    "an id of 2^60": write_var_uint(1) + _any_varint(2**60) + write_var_uint(1) + write_var_string("{}"),
    "a large state": payload((NOBODYS, 1, json.dumps({"x": "y" * MAX_AWARENESS_STATE_BYTES}))),
    "a deep state": payload((NOBODYS, 1, '{"a":' * 1_000 + "1" + "}" * 1_000)),
    "a deeper state": payload((NOBODYS, 1, "[" * 100_000)),
    "no JSON": payload((NOBODYS, 1, "{")),
    "not an object": payload((NOBODYS, 1, '"here"')),
    "not a number": payload((NOBODYS, 1, '{"x": NaN}')),
    "an endless number": payload((NOBODYS, 1, '{"x": 1e999}')),
    "a long number": payload((NOBODYS, 1, '{"x": ' + "9" * 5_000 + "}")),
    "not UTF-8": write_var_uint(1) + write_var_uint(NOBODYS) + write_var_uint(1) + write_var_bytes(b'{"x": "\xff"}'),
    "a client twice": payload((NOBODYS, 1, "{}"), (NOBODYS, 2, "{}")),
    "more than it says": payload((NOBODYS, 1, "{}")) + b"\x00",
    "less than it says": write_var_uint(2) + payload((NOBODYS, 1, "{}"))[1:],
}


@pytest.mark.parametrize("name", BOMBS)
async def test_a_bomb_ends_the_connection_and_is_passed_on_to_nobody(stage: Stage, name: str) -> None:
    async with stage.scene() as scene, stage.attacker(scene.prompt, stage.people.vera) as attacker:
        memory = Memory(stage.server.pid)
        await attacker.send(AwarenessUpdate(BOMBS[name]))
        assert await attacker.close_code() == MALFORMED
        await scene.go_on()
        assert (await scene.browser.report()).presence.keys() == {BROWSER}
        assert memory.growth < 16 * MIB


async def test_nobody_appears_under_another_name(stage: Stage) -> None:
    async with stage.scene() as scene, stage.attacker(scene.prompt) as attacker:
        forged = {"user": {"id": str(stage.people.ann.user_id), "name": "Ann", "color": "#000000", "role": "owner"}}
        await say(attacker, NOBODYS, 1, {**forged, "cursor": 3})
        await wait_until(lambda: presence(scene, NOBODYS), what="the attacker to be seen")
        seen = await presence(scene, NOBODYS)
        assert seen is not None
        assert seen["cursor"] == 3
        assert seen["user"]["id"] == str(stage.people.mallory.user_id)
        assert seen["user"]["name"] != "Ann"


async def test_nobody_speaks_for_another(stage: Stage) -> None:
    async with stage.scene() as scene, stage.attacker(scene.prompt) as attacker:
        await scene.browser.say({"cursor": 1})
        await wait_until(lambda: cursors(scene) == {BROWSER: 1}, what="the stock client's presence")
        for clock in (1, 2, 100, 2**31 - 1):
            # In another's name, and under the id of somebody who has typed and says nothing at present.
            await say(attacker, BROWSER, clock, {"cursor": 666})
            await say(attacker, ANN, clock, {"cursor": 666})
            await say(attacker, BROWSER, clock, None)
        await say(attacker, NOBODYS, 1, {"cursor": 2})
        await wait_until(lambda: NOBODYS in clients_here(scene), what="what the attacker may say")
        assert cursors(scene) == {BROWSER: 1, NOBODYS: 2}
        await scene.untroubled()


async def test_one_connection_is_present_a_few_times_at_most(stage: Stage) -> None:
    async with stage.scene() as scene:
        async with stage.attacker(scene.prompt) as attacker:
            for client in range(1_000, 1_500):
                await say(attacker, client, 1, {"cursor": client})
            assert await attacker.is_answered()
            await wait_until(lambda: 1_000 in clients_here(scene), what="the first of them")
            await scene.go_on()
            assert len(scene.ann.peer.awareness) <= 10
        # A stock client is present from the beginning.
        await wait_until(lambda: clients_here(scene) == {BROWSER}, what="all of them to be gone")


async def test_a_storm_of_presence_costs_the_others_little(stage: Stage) -> None:
    async with (
        stage.scene() as scene,
        stage.attacker(scene.prompt) as attacker,
        stage.attacker(scene.prompt) as bystander,
    ):
        memory = Memory(stage.server.pid)
        heard = len(bystander.messages)
        for clock in range(1, 5_001):
            await say(attacker, NOBODYS, clock, {"cursor": clock})
        await wait_until(lambda: cursor(bystander) == 5_000, what="the last of it")
        # One frame for all that came in one turn, and not more than 25 a second.
        assert len(bystander.messages) - heard < 1_000
        await scene.go_on()
        assert memory.growth < 16 * MIB


async def say(attacker: Attacker, client: int, clock: int, state: dict[str, Any] | None) -> None:
    await attacker.send(AwarenessUpdate(encode_awareness([AwarenessEntry(client, clock, state)])))


async def presence(scene: Scene, client: int) -> dict[str, Any] | None:
    found: dict[str, Any] | None = (await scene.browser.report()).presence.get(client)
    return found


def clients_here(scene: Scene) -> set[int]:
    return {entry.client_id for entry in scene.ann.peer.awareness.entries()}


def cursors(scene: Scene) -> dict[int, object]:
    return {entry.client_id: (entry.state or {}).get("cursor") for entry in scene.ann.peer.awareness.entries()}


def cursor(bystander: Attacker) -> object:
    """What the bystander heard last of the attacker's cursor."""
    for message in reversed(bystander.messages):
        if isinstance(message, AwarenessUpdate):
            for entry in read_awareness(message.payload, max_entries=1_000, max_state_bytes=1_000_000):
                if entry.client_id == NOBODYS and entry.state is not None:
                    return entry.state["cursor"]
    return None
