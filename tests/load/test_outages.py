"""Opening, coming back and the recorded session, against servers that keep or break their promises."""

import asyncio
from itertools import pairwise

import pytest

import load.scenarios.replay
from load.joiner import Joiner
from load.recording.performance import Holdings, Score
from load.recording.session import recorded
from load.results import Measurement
from load.scenarios import Scenario
from load.scenarios.cold_open import ColdOpen
from load.scenarios.idle import Idle
from load.scenarios.join_storm import JoinStorm
from load.scenarios.reconnect import Reconnect
from load.scenarios.replay import Replay
from tests.load.relay import Relay

EDITS = len(recorded().keys)
STORM = JoinStorm(joiners=11, megabytes=0.3)
COLD = ColdOpen(edits=EDITS, opens=2)
COMING_BACK = Reconnect(people=6, documents=2)
SESSION = Replay(seconds=1.0)
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _a_short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("load.crowd.SETTLE_SECONDS", 1.0)
    monkeypatch.setattr("load.scenarios.idle._CALM_DOWN_SECONDS", 0.0)
    monkeypatch.setattr("load.scenarios.cold_open._STORED_SECONDS", 0.0)
    monkeypatch.setattr("load.scenarios.reconnect._SYNCED_SECONDS", 2.0)
    monkeypatch.setattr(load.scenarios.replay, "_WARM_UP_SECONDS", 0.5)
    monkeypatch.setattr(load.scenarios.replay, "_PERFORMANCE_TO_BE_KILLED_SECONDS", 1.0)


async def run(scenario: Scenario, **promises_broken: bool) -> Measurement:
    async with Relay(**promises_broken) as relay:
        return await scenario.run(relay, seed=1)


@pytest.mark.parametrize(
    "scenario", [STORM, COLD, COMING_BACK, SESSION, Idle(6, 2, 0.1)], ids=lambda scenario: scenario.name
)
async def test_a_server_that_keeps_its_promises_is_sound(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    # Only what never comes is waited for that long.
    monkeypatch.setattr("load.crowd.SETTLE_SECONDS", 30.0)
    measurement = await run(scenario)
    assert measurement.problems == ()
    assert measurement.converged
    assert not measurement.lost_acknowledged


async def test_everybody_who_joins_is_timed() -> None:
    measurement = await run(STORM)
    assert measurement.latency_ms is not None
    assert measurement.figures["wire_mb"] >= 11 * 0.3


@pytest.mark.parametrize("scenario", [COLD, COMING_BACK, SESSION], ids=lambda scenario: scenario.name)
async def test_what_was_acknowledged_and_not_kept_is_counted(scenario: Scenario) -> None:
    measurement = await run(scenario, forgets=True)
    assert measurement.lost_acknowledged


async def test_newcomers_who_are_sent_something_else_are_noticed() -> None:
    assert any("another text" in problem for problem in (await run(COLD, garbles=True)).problems)
    assert any("different texts" in problem for problem in (await run(COMING_BACK, garbles=True)).problems)


async def test_an_author_who_is_not_shown_a_key_waits_and_says_so() -> None:
    measurement = await run(SESSION, drops=True)
    assert not measurement.converged
    assert any("did not arrive at the other author" in problem for problem in measurement.problems)


def test_keys_keep_their_order_and_long_pauses_are_cut() -> None:
    moments = Score(recorded()).moments(10.0)
    times = [at for _, at in moments]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(10.0)
    longest = max(later - earlier for earlier, later in pairwise(times))
    # Uncut, the longest would be a hundredth of all.
    assert longest < 0.001 * 10.0


def test_holdings_tell_what_is_missing() -> None:
    first, second = Score(recorded()).parts[0][:2]
    holdings = Holdings()
    holdings.take(first.update)
    assert holdings.have(first.summary)
    assert not holdings.have(second.summary)


async def test_a_joiner_counts_a_document_in_pieces_and_hears_what_follows() -> None:
    heard: list[bytes] = []

    class Hearing(Joiner):
        def _hear(self, message: bytes, now: float) -> None:
            heard.append(message)
            super()._hear(message, now)

    async with Relay() as relay:
        joiner = Hearing(relay.dialect)
        await joiner.join(await relay.document("Pieces"), "")
        head = bytes((0x82, 127)) + (300_000).to_bytes(8, "big")
        stream = b"\x82\x03abc" + head + bytes(300_000) + b"\x82\x03def"
        for start in range(0, len(stream), 70_001):
            joiner.data_received(stream[start : start + 70_001])
        await asyncio.wait_for(joiner.joined, 1.0)
        joiner.close()
    assert joiner.document_bytes == 300_000
    assert [message for message in heard if len(message) == 3] == [b"abc", b"def"]
