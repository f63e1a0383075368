"""First come, first served, with or without a task to wait in."""

import asyncio

from persistence.gate import Gate


async def test_it_is_taken_at_once_when_nobody_has_it() -> None:
    gate = Gate()
    assert gate.take_at_once()
    assert gate.locked()
    assert not gate.take_at_once()
    gate.release()
    assert not gate.locked()


async def test_who_waits_gets_in_by_turns_and_nobody_overtakes() -> None:
    gate, order = Gate(), []

    async def pass_through(name: str) -> None:
        async with gate:
            order.append(name)
            assert not gate.take_at_once()

    assert gate.take_at_once()
    tasks = [asyncio.create_task(pass_through(name)) for name in "abc"]
    await asyncio.sleep(0)
    gate.release()
    assert not gate.take_at_once()
    await asyncio.gather(*tasks)
    assert order == ["a", "b", "c"]
    assert not gate.locked()


async def test_who_gives_up_is_passed_over_even_when_it_was_his_turn() -> None:
    gate = Gate()
    assert gate.take_at_once()
    first, second = asyncio.create_task(gate.take()), asyncio.create_task(gate.take())
    await asyncio.sleep(0)
    gate.release()
    first.cancel()
    await second
    assert first.cancelled()
    assert gate.locked()
    third = asyncio.create_task(gate.take())
    await asyncio.sleep(0)
    third.cancel()
    await asyncio.sleep(0)
    gate.release()
    assert not gate.locked()
