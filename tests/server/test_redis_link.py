"""Signs of life: when a link to Redis counts as lost."""

import pytest

from server.redis_link import LATE_BEATS, SILENT_BEATS, Vitals
from server.redis_server import LinkLost


def beats(vitals: Vitals, count: int) -> None:
    for _ in range(count):
        vitals.beat()


def test_silence_is_a_loss() -> None:
    vitals = Vitals()
    beats(vitals, SILENT_BEATS)
    with pytest.raises(LinkLost, match="answers nothing"):
        vitals.beat()


def test_answers_alone_are_not_enough() -> None:
    vitals = Vitals()
    for _ in range(SILENT_BEATS):
        vitals.answered()
        vitals.beat()
    vitals.answered()
    with pytest.raises(LinkLost, match="nothing comes back"):
        vitals.beat()


def test_beats_that_come_back_are_enough() -> None:
    vitals = Vitals()
    for _ in range(5 * LATE_BEATS):
        beats(vitals, SILENT_BEATS)
        vitals.answered()
        vitals.came_back()


def test_other_messages_buy_time_but_not_for_ever() -> None:
    vitals = Vitals()
    for _ in range(LATE_BEATS):
        vitals.beat()
        vitals.answered()
        vitals.heard()
    with pytest.raises(LinkLost, match="do not come back"):
        vitals.beat()
