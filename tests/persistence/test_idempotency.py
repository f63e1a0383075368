"""A request that is sent twice is carried out once."""

import asyncio
import hashlib

import pytest

from persistence.errors import KeyInProgress, KeyReused
from persistence.idempotency import StoredAnswer
from tests.persistence.conftest import HandClock, Home

REQUEST, OTHER_REQUEST = hashlib.sha256(b"request").digest(), hashlib.sha256(b"other").digest()
ANSWER = StoredAnswer(201, {"Location": "/x", "ETag": '"1"'}, b'{"id": 1}')


async def test_the_second_request_gets_the_answer_of_the_first(home: Home) -> None:
    keys = home.store.idempotency
    assert await keys.claim(home.owner_id, "k", REQUEST) is None
    await keys.store(home.owner_id, "k", ANSWER)
    assert await keys.claim(home.owner_id, "k", REQUEST) == ANSWER
    await keys.release(home.owner_id, "k")
    assert await keys.claim(home.owner_id, "k", REQUEST) == ANSWER


async def test_of_two_at_once_one_carries_it_out_and_the_other_waits(home: Home) -> None:
    claims = [home.store.idempotency.claim(home.owner_id, "k", REQUEST) for _ in range(2)]
    outcomes = await asyncio.gather(*claims, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["KeyInProgress", "NoneType"]


async def test_a_key_stands_for_one_request(home: Home) -> None:
    keys = home.store.idempotency
    await keys.claim(home.owner_id, "k", REQUEST)
    with pytest.raises(KeyReused):
        await keys.claim(home.owner_id, "k", OTHER_REQUEST)
    assert await keys.claim(home.owner_id, "k2", OTHER_REQUEST) is None


async def test_a_key_belongs_to_its_user(home: Home) -> None:
    ada = await home.store.accounts.create_user("Ada")
    assert await home.store.idempotency.claim(home.owner_id, "k", REQUEST) is None
    assert await home.store.idempotency.claim(ada.id, "k", OTHER_REQUEST) is None


async def test_a_request_that_failed_can_be_sent_again(home: Home) -> None:
    keys = home.store.idempotency
    await keys.claim(home.owner_id, "k", REQUEST)
    await keys.release(home.owner_id, "k")
    assert await keys.claim(home.owner_id, "k", REQUEST) is None


async def test_a_claim_of_a_process_that_died_ends_by_itself(home: Home, clock: HandClock) -> None:
    keys = home.store.idempotency
    await keys.claim(home.owner_id, "k", REQUEST)
    clock.advance(seconds=59)
    with pytest.raises(KeyInProgress):
        await keys.claim(home.owner_id, "k", REQUEST)
    clock.advance(seconds=2)
    assert await keys.claim(home.owner_id, "k", REQUEST) is None


async def test_an_answer_is_kept_for_a_day(home: Home, clock: HandClock) -> None:
    keys = home.store.idempotency
    await keys.claim(home.owner_id, "k", REQUEST)
    await keys.store(home.owner_id, "k", StoredAnswer(204, {}, b""))
    clock.advance(hours=23)
    assert await keys.claim(home.owner_id, "k", REQUEST) == StoredAnswer(204, {}, b"")
    clock.advance(hours=2)
    assert await keys.claim(home.owner_id, "k", REQUEST) is None
