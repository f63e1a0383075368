"""The rules of the group commit, over a writer that commits when the test says so."""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import pytest

from persistence.edits import Append, Edit
from persistence.errors import NotFound, StoreError, StoreOverloaded, StoreUnavailable
from persistence.gate import Gate
from persistence.group_commit import GroupCommit, Outcome
from tests.persistence.conftest import START, HandClock
from tests.support.waiting import wait_until

USER = uuid.uuid4()
PROMPT = uuid.uuid4()


class HandWriter:
    """Keeps each group until the test answers it; the seq of an append is its number."""

    def __init__(self) -> None:
        self.groups: list[list[bytes]] = []
        self.times: list[datetime] = []
        self.closed = False
        self.answers_by_itself = False
        self._answer: asyncio.Future[list[Outcome]] | None = None

    def commit(self, group: Sequence[Append], now: datetime) -> asyncio.Future[list[Outcome]]:
        return asyncio.get_running_loop().create_task(self._commit(group, now))

    async def _commit(self, group: Sequence[Append], now: datetime) -> list[Outcome]:
        self.groups.append([append.edits[0].update for append in group])
        self.times.append(now)
        if self.answers_by_itself:
            return [int(update) for update in self.groups[-1]]
        self._answer = asyncio.get_running_loop().create_future()
        try:
            return await self._answer
        finally:
            self._answer = None

    async def close(self) -> None:
        self.closed = True

    async def succeed(self) -> None:
        await self.answer([int(update) for update in self.groups[-1]])

    async def answer(self, outcomes: list[Outcome]) -> None:
        (await self._commit_in_flight()).set_result(outcomes)

    async def fail(self, error: Exception) -> None:
        (await self._commit_in_flight()).set_exception(error)

    async def _commit_in_flight(self) -> asyncio.Future[list[Outcome]]:
        await wait_until(lambda: self._answer is not None and not self._answer.done(), what="a group")
        assert self._answer is not None
        return self._answer


class Queue:
    """A group commit with its writer, gate and clock."""

    def __init__(self, *, queue_bytes: int = 10_000) -> None:
        self.writer = HandWriter()
        self.gate = Gate()
        self.clock = HandClock()
        self.commit = GroupCommit(self.writer, clock=self.clock, gate=self.gate, queue_bytes=queue_bytes)

    def submit(self, number: int, *, padding: int = 0) -> asyncio.Future[int]:
        edit = Edit(b"0" * padding + b"%d" % number, USER)
        return self.commit.submit(Append(PROMPT, (edit,), {}))

    async def groups(self, count: int) -> None:
        await wait_until(lambda: len(self.writer.groups) == count, what=f"{count} groups")


@pytest.fixture
async def queue() -> AsyncIterator[Queue]:
    queue = Queue()
    yield queue
    queue.writer.answers_by_itself = True
    await queue.commit.close()
    assert queue.writer.closed


async def test_everything_submitted_in_one_turn_is_one_group(queue: Queue) -> None:
    futures = [queue.submit(number) for number in range(5)]
    await queue.groups(1)
    await queue.writer.succeed()
    assert await asyncio.gather(*futures) == [0, 1, 2, 3, 4]
    assert queue.writer.times == [START]


async def test_what_comes_during_a_commit_is_the_next_group_and_nothing_resolves_early(queue: Queue) -> None:
    first = queue.submit(1)
    await queue.groups(1)
    second, third = queue.submit(2), queue.submit(3)
    for _ in range(5):
        await asyncio.sleep(0)
    assert not first.done()
    assert queue.writer.groups == [[b"1"]]
    await queue.writer.succeed()
    assert await first == 1
    await queue.groups(2)
    assert not second.done()
    assert queue.writer.groups[1] == [b"2", b"3"]
    await queue.writer.succeed()
    assert [await second, await third] == [2, 3]


async def test_a_writer_that_raises_at_once_fails_the_group_and_not_the_next(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(queue.writer, "commit", None)
        first = queue.submit(1)
        with pytest.raises(StoreUnavailable):
            await first
    queue.writer.answers_by_itself = True
    assert await queue.submit(2) == 2


async def test_an_outcome_that_is_an_error_fails_one_future(queue: Queue) -> None:
    futures = [queue.submit(number) for number in range(3)]
    await queue.writer.answer([0, NotFound("no prompt"), 2])
    assert await futures[0] == 0
    assert await futures[2] == 2
    with pytest.raises(NotFound, match="no prompt"):
        await futures[1]


async def test_a_group_that_fails_fails_each_of_its_futures_with_an_error_of_its_own(queue: Queue) -> None:
    futures = [queue.submit(number) for number in range(2)]
    await queue.writer.fail(StoreUnavailable("disk full"))
    outcomes = await asyncio.gather(*futures, return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["disk full", "disk full"]
    assert outcomes[0] is not outcomes[1]
    again = queue.submit(7)
    await queue.groups(2)
    await queue.writer.succeed()
    assert await again == 7


async def test_a_defect_of_the_writer_is_logged_and_stops_nothing(
    queue: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    future = queue.submit(1)
    with caplog.at_level(logging.ERROR):
        await queue.writer.fail(ZeroDivisionError("a defect"))
        with pytest.raises(StoreUnavailable, match="unexpectedly"):
            await future
    assert "a defect" in caplog.text
    again = queue.submit(2)
    await queue.groups(2)
    await queue.writer.succeed()
    assert await again == 2


async def test_a_cancelled_future_withdraws_what_still_waits(queue: Queue) -> None:
    queue.submit(1)
    await queue.groups(1)
    second, third = queue.submit(2), queue.submit(3)
    second.cancel()
    await queue.writer.succeed()
    await queue.groups(2)
    assert queue.writer.groups[1] == [b"3"]
    await queue.writer.succeed()
    assert await third == 3


async def test_a_group_of_which_nothing_is_left_is_not_committed(queue: Queue) -> None:
    queue.submit(1).cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert queue.writer.groups == []


async def test_cancelling_during_the_commit_does_nothing_to_the_others(queue: Queue) -> None:
    first, second = queue.submit(1), queue.submit(2)
    await queue.groups(1)
    first.cancel()
    await queue.writer.succeed()
    assert await second == 2


async def test_what_waits_is_bounded_and_what_was_refused_can_be_sent_again() -> None:
    queue = Queue(queue_bytes=2_500)
    first = queue.submit(1)
    await queue.groups(1)
    waiting = [queue.submit(number, padding=500) for number in (2, 3)]
    refused = queue.submit(4, padding=500)
    assert isinstance(refused.exception(), StoreOverloaded)
    assert StoreOverloaded.code == "overloaded"
    small = queue.submit(5)
    await queue.writer.succeed()
    await queue.groups(2)
    again = queue.submit(4, padding=500)
    await queue.writer.succeed()
    await queue.groups(3)
    closing = asyncio.ensure_future(queue.commit.close())
    await queue.writer.succeed()
    await closing
    assert await asyncio.gather(first, *waiting, small, again) == [1, 2, 3, 5, 4]


async def test_one_append_larger_than_the_bound_is_taken_when_nothing_waits() -> None:
    queue = Queue(queue_bytes=100)
    large = queue.submit(1, padding=1_000)
    await queue.groups(1)
    second = queue.submit(2, padding=1_000)
    assert isinstance(queue.submit(3).exception(), StoreOverloaded)
    await queue.writer.succeed()
    await queue.groups(2)
    await queue.writer.succeed()
    assert [await large, await second] == [1, 2]
    await queue.commit.close()


async def test_the_gate_is_passed_once_a_group_so_that_others_get_in_between(queue: Queue) -> None:
    order: list[str] = []

    async def other_writer() -> None:
        async with queue.gate:
            order.append("other")

    first = queue.submit(1)
    await queue.groups(1)
    assert queue.gate.locked()
    other = asyncio.ensure_future(other_writer())
    second = queue.submit(2)
    second.add_done_callback(lambda _: order.append("second"))
    await asyncio.sleep(0)
    await queue.writer.succeed()
    await queue.groups(2)
    await queue.writer.succeed()
    await asyncio.gather(first, other, second)
    assert order == ["other", "second"]


async def test_what_comes_while_the_gate_is_closed_joins_the_group(queue: Queue) -> None:
    async with queue.gate:
        futures = [queue.submit(1)]
        for _ in range(5):
            await asyncio.sleep(0)
        futures.append(queue.submit(2))
    await queue.groups(1)
    assert queue.writer.groups == [[b"1", b"2"]]
    await queue.writer.succeed()
    assert await asyncio.gather(*futures) == [1, 2]


async def test_closing_waits_for_the_last_commit_even_if_it_fails() -> None:
    queue = Queue()
    first = queue.submit(1)
    await queue.groups(1)
    second = queue.submit(2)
    closing = asyncio.ensure_future(queue.commit.close())
    await asyncio.sleep(0)
    late = queue.submit(3)
    assert isinstance(late.exception(), StoreError)
    await queue.writer.succeed()
    await queue.groups(2)
    assert not closing.done()
    await queue.writer.fail(StoreUnavailable("gone"))
    await closing
    assert await first == 1
    with pytest.raises(StoreUnavailable):
        await second
    assert queue.writer.closed
