"""Works side by side, and tasks that do not hear the first time."""

import asyncio
import gc

import pytest

from server.tasks import Tasks, side_by_side


async def deaf(times: int) -> None:
    """Swallows so many cancellations, as `asyncio.wait_for` does with one that comes together with its answer."""
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            times -= 1
            if times < 0:
                raise


async def fails() -> None:
    await asyncio.sleep(0)
    message = "the first"
    raise LookupError(message)


async def answers(number: int) -> int:
    await asyncio.sleep(0)
    return number


async def test_works_answer_in_their_order() -> None:
    assert await side_by_side(*((str(number), answers(number)) for number in range(3))) == [0, 1, 2]


async def test_one_that_fails_ends_the_others_also_those_that_do_not_hear() -> None:
    with pytest.raises(LookupError, match="the first"):
        await asyncio.wait_for(side_by_side(("deaf", deaf(2)), ("fails", fails())), 10)
    assert len(asyncio.all_tasks()) == 1


async def test_what_fails_beside_the_first_is_no_complaint() -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))

    async def fails_at_its_end() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            message = "closed"
            raise ConnectionError(message) from None

    with pytest.raises(LookupError):
        await side_by_side(("first", fails()), ("second", fails()), ("third", fails_at_its_end()))
    gc.collect()
    assert not complaints


async def test_who_gives_up_leaves_nobody_behind() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await side_by_side(("deaf", deaf(1)), ("waits", deaf(0)))
    assert len(asyncio.all_tasks()) == 1


async def test_an_owner_waits_for_the_end_of_all() -> None:
    tasks = Tasks()
    tasks.spawn(deaf(2), name="deaf")
    await asyncio.sleep(0)
    await asyncio.wait_for(tasks.close(), 10)
    assert len(asyncio.all_tasks()) == 1
