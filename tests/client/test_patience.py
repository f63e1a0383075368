from random import Random

import pytest

from client.errors import PromptClosed
from client.patience import FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS, Patience, is_final


@pytest.mark.parametrize("code", [4400, 4401, 4403, 4404, 4409, 4413, 4499])
def test_what_the_server_means_for_good_is_final(code: int) -> None:
    assert is_final(PromptClosed(code, ""))


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1011, 1012, 1013, 4408, 4429, 4503, 4399, 4500])
def test_everything_else_is_tried_again(code: int) -> None:
    assert not is_final(PromptClosed(code, ""))


def test_delays_double_with_jitter_up_to_a_bound(rng: Random) -> None:
    patience = Patience(rng)
    delays = [patience.next_delay() for _ in range(2_000)]
    for number, delay in enumerate(delays):
        longest = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0 ** min(number, 30))
        assert longest / 2 <= delay <= longest
    assert len(set(delays)) == len(delays)


def test_after_a_connection_that_held_delays_begin_anew(rng: Random) -> None:
    patience = Patience(rng)
    for _ in range(10):
        patience.next_delay()
    patience.connected()
    assert patience.next_delay() <= FIRST_DELAY_SECONDS


def test_a_restarting_server_says_when_to_come_back(rng: Random) -> None:
    assert Patience(rng).next_delay(PromptClosed(1012, "2.5")) == 2.5


@pytest.mark.parametrize("reason", ["", "soon", "-1", "1e9", "nan", "inf"])
def test_a_pause_that_makes_no_sense_is_ones_own_to_choose(rng: Random, reason: str) -> None:
    assert 0 < Patience(rng).next_delay(PromptClosed(1012, reason)) <= FIRST_DELAY_SECONDS


def test_an_ending_reads_as_a_sentence() -> None:
    assert str(PromptClosed(4404, "no such prompt")) == "4404 no such prompt"
    assert str(PromptClosed(1006, "")) == "1006"
