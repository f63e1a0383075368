"""What a prompt that is open, and a person in it, takes of a server's memory."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Final

from crdt.document import Document, new_client_id
from load.crowd import created, opened
from load.recording.session import as_updates, recorded
from load.replica import Replica
from load.servers.promptroom import Promptroom
from load.servers.server import Address

_ROOMS: Final = 200
_PEOPLE: Final = 2_000
_TYPED_ROOMS: Final = 40
_CALM_SECONDS: Final = 2.0
_KB: Final = 1_000
_LARGE_KB: Final = 100


async def measure(_: float, seed: int) -> Mapping[str, float]:
    """Open prompts of several sizes, and look at the server's memory.

    Args:
        seed: of every random choice.
    """
    small = await _per_room(1, seed)
    large = await _per_room(_LARGE_KB, seed)
    per_kilobyte = (large - small) / (_LARGE_KB - 1)
    empty, typed = small - per_kilobyte, await _typed(seed)
    return {
        "memory_kb_per_room": empty,
        "memory_kb_per_kb_of_pasted_text": per_kilobyte,
        "memory_kb_per_typed_room": typed,
        "memory_kb_per_kb_of_typed_text": (typed - empty) / (len(recorded().text.encode()) / _KB),
        "memory_kb_per_person": await _per_person(seed),
        "memory_mb_of_a_node": await _alone(),
    }


async def _alone() -> float:
    async with Promptroom() as server:
        await asyncio.sleep(_CALM_SECONDS)
        return server.usage().memory_bytes / 1e6


async def _per_room(kilobytes: int, seed: int) -> float:
    """What a prompt of so much text takes, with one person in it who has typed a key: the engine has read it then."""
    random = Random(seed)
    text = "".join(random.choices("abcdefghijklmnopqrstuvwxyz      ", k=kilobytes * _KB))
    async with Promptroom() as server:
        addresses = [await server.document(f"Prompt {number}", text) for number in range(_ROOMS)]
        before = await _calm(server)
        people = await opened(server, addresses, random)
        for each in people:
            # Behind nothing: at the very beginning of the text.
            each.type(0.0)
        taken = (await _calm(server) - before) / _ROOMS
        for each in people:
            each.close()
    return taken


async def _typed(seed: int) -> float:
    """The same of prompts in which the recorded session was typed: text in as many pieces as people make of it."""
    random = Random(seed)
    async with Promptroom() as server:
        addresses = await created(server, _TYPED_ROOMS)
        before = await _calm(server)
        writers = [await _written(server, address, random) for address in addresses]
        taken = (await _calm(server) - before) / _TYPED_ROOMS
        for each in writers:
            each.close()
    return taken


async def _written(server: Promptroom, address: Address, random: Random) -> Replica:
    session = replace(recorded(), clients=(new_client_id(random), new_client_id(random)))
    replica = Replica(server.dialect, Document())
    await replica.open(address, server.token)
    await replica.caught_up
    await _told(replica, as_updates(session)[0])
    return replica


async def _told(replica: Replica, updates: Sequence[bytes]) -> None:
    for update in updates:
        replica.tell(update)
    await replica.everything_saved()


async def _per_person(seed: int) -> float:
    random = Random(seed)
    async with Promptroom() as server:
        addresses = await created(server, _ROOMS)
        people = await opened(server, addresses, random)
        before = await _calm(server)
        others = await opened(server, [addresses[number % _ROOMS] for number in range(_PEOPLE)], random)
        taken = (await _calm(server) - before) / _PEOPLE
        for each in (*people, *others):
            each.close()
    return taken


async def _calm(server: Promptroom) -> float:
    """Its memory in KB, when what was asked of it is over."""
    await asyncio.sleep(_CALM_SECONDS)
    return server.usage().memory_bytes / _KB
