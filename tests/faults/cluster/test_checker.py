"""The checker finds what is wrong in histories that were broken by hand, and nothing in those that were not."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from crdt.client_peer import ClientPeer
from crdt.diff import TextEdit
from crdt.document import EMPTY_STATE_VECTOR, Document
from tests.faults.cluster.checker import (
    Finding,
    Kind,
    Row,
    check_equal,
    check_promises,
    check_rows,
    check_text,
)
from tests.faults.cluster.history import (
    Acknowledged,
    Agreed,
    Began,
    Connected,
    Disconnected,
    Ended,
    History,
    Opened,
    Record,
    RoundBegan,
    Sent,
    Shown,
    Stalled,
    of_rounds,
    read_history,
)
from tests.faults.cluster.timing import NEVER, caught_up, farthest_behind, pauses, typing_again
from tests.faults.cluster.verdict import (
    CALM_SECONDS,
    DESCRIPTORS,
    MEMORY_BYTES,
    Bounds,
    Figures,
    Grown,
    check_bounds,
    check_growth,
    count_lost,
)
from tests.faults.tokens import first_text

AUTHORS = ("ann", "bob")

# Ann types three tokens and hears of two; Bob types one and hears of it.
HISTORY: Sequence[Record] = (
    Sent(1.0, "ann", 1),
    Sent(1.1, "ann", 2),
    Acknowledged(1.2, "ann", 1),
    Shown(1.25, "bob", "ann", 1),
    Sent(1.3, "bob", 1),
    Acknowledged(1.4, "ann", 2),
    Acknowledged(1.4, "bob", 1),
    Sent(1.5, "ann", 3),
)
GOOD = "ann=<ann:1><ann:2><ann:3>\nbob=<bob:1>\n"


def kinds(findings: Sequence[Finding]) -> list[Kind]:
    return [finding.kind for finding in findings]


def row(seq: int, at: float, *tokens: tuple[str, int], writes: tuple[tuple[int, int, int], ...] = ()) -> Row:
    return Row(seq, at, writes, tokens)


@pytest.mark.parametrize("text", [GOOD, GOOD.replace("<ann:3>", "")])
def test_a_text_with_all_that_was_acknowledged_is_right(text: str) -> None:
    assert not check_text("a text", text, AUTHORS, HISTORY)
    assert not check_text("a text", first_text(AUTHORS), AUTHORS, [])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (GOOD.replace("<bob:1>", ""), [Kind.LOST]),
        (GOOD.replace("<ann:2><ann:3>", ""), [Kind.LOST]),
        # The one behind it tells that it is missing; and it is missing.
        (GOOD.replace("<ann:2>", ""), [Kind.LOST]),
        (GOOD.replace("<ann:1>", "<ann:1><ann:1>"), [Kind.DOUBLED]),
        (GOOD.replace("<ann:3>", "<ann:3><ann:3>"), [Kind.DOUBLED]),
        (GOOD.replace("<ann:1><ann:2>", "<ann:2><ann:1>"), [Kind.ORDER]),
        (GOOD.replace("<ann:3>", "<ann:3><ann:4>"), [Kind.DAMAGED]),
        (GOOD.replace("<ann:2>", "<ann<bob:1>:2>").replace("=<bob:1>", "="), [Kind.DAMAGED, Kind.LOST]),
        (GOOD.replace("bob=", "bo="), [Kind.DAMAGED]),
        (f"{GOOD}<eve:1>", [Kind.DAMAGED]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_text_that_is_wrong_is_found_out(text: str, found: list[Kind]) -> None:
    assert kinds(check_text("a text", text, AUTHORS, HISTORY)) == found


def test_a_hole_in_what_was_not_acknowledged_is_found_out() -> None:
    records = [*HISTORY, Sent(1.6, "ann", 4)]
    findings = check_text("a text", GOOD.replace("<ann:3>", "<ann:4>"), AUTHORS, records)
    assert kinds(findings) == [Kind.ORDER]


def test_every_lost_token_is_counted() -> None:
    findings = check_text("a text", "ann=<ann:3>\nbob=\n", AUTHORS, HISTORY)
    assert count_lost(findings) == 3


def test_texts_that_differ_are_found_out() -> None:
    assert not check_equal({"ann": GOOD, "node 1": GOOD, "stored": GOOD})
    findings = check_equal({"ann": GOOD, "node 1": GOOD[:-3], "stored": GOOD})
    assert kinds(findings) == [Kind.DIFFERENT]
    assert "node 1" in findings[0].where


STORED = (
    row(1, 0.0),
    row(2, 1.15, ("ann", 1)),
    row(3, 1.3, ("ann", 2), ("bob", 1)),
)


def test_what_is_stored_before_it_is_promised_is_right() -> None:
    assert not check_promises(HISTORY, STORED)


def test_what_was_acknowledged_and_never_stored_is_lost() -> None:
    assert kinds(check_promises(HISTORY, STORED[:2])) == [Kind.LOST, Kind.LOST]


def test_what_was_only_seen_and_never_stored_is_lost_too() -> None:
    findings = check_promises([Sent(1.0, "ann", 1), Shown(1.1, "bob", "ann", 1)], STORED[:1])
    assert kinds(findings) == [Kind.LOST]


def test_what_is_stored_only_when_it_is_repeated_was_promised_falsely() -> None:
    late = (STORED[0], row(2, 2.0, ("ann", 1)), STORED[2])
    findings = check_promises(HISTORY, late)
    assert kinds(findings) == [Kind.FALSE_PROMISE, Kind.FALSE_PROMISE]
    assert ["acknowledged" in findings[0].about, "shown" in findings[1].about] == [True, True]
    assert count_lost(findings) == 2


def test_what_is_stored_again_later_was_stored_in_time() -> None:
    assert not check_promises(HISTORY, [*STORED, row(4, 9.0, ("ann", 1))])


def test_a_journal_without_holes_is_right() -> None:
    rows = [row(1, 0.0, writes=((7, 0, 10),)), row(2, 1.0, writes=((7, 10, 12), (8, 0, 3)))]
    assert not check_rows(rows, head=2)


@pytest.mark.parametrize(
    ("numbers", "head"), [((1, 3), 3), ((1, 2), 3), ((1, 2, 3), 2), ((1, 2, 2), 2), ((2, 1), 2), ((), 1)]
)
def test_a_journal_with_holes_is_found_out(numbers: tuple[int, ...], head: int) -> None:
    assert kinds(check_rows([row(number, 0.0) for number in numbers], head)) == [Kind.STORAGE]


def test_a_write_that_is_there_twice_is_found_out() -> None:
    twice = [row(1, 0.0, writes=((7, 0, 10),)), row(2, 1.0, writes=((7, 4, 12),)), row(3, 2.0, writes=((7, 12, 13),))]
    findings = check_rows(twice, head=3)
    assert kinds(findings) == [Kind.STORED_TWICE]
    assert "from 4 to 10" in findings[0].about


def test_a_write_before_the_one_that_it_follows_is_found_out() -> None:
    assert kinds(check_rows([row(1, 0.0, writes=((7, 3, 10),))], head=1)) == [Kind.STORAGE]


def test_the_tokens_and_clocks_of_an_update_are_read_from_its_bytes() -> None:
    peer = ClientPeer(Document(client_id=7))
    for place, text in ((0, "ann=\n"), (4, "<ann:1>"), (11, "<ann:2 ...>")):
        peer.edit([TextEdit(place, place, text)])
    merged = Row.of(5, 1.5, peer.document.encode_diff(EMPTY_STATE_VECTOR))
    assert merged.writes == ((7, 0, 23),)
    assert set(merged.tokens) == {("ann", 1), ("ann", 2)}


def test_a_pause_is_the_longest_wait_for_an_acknowledgement() -> None:
    assert pauses(HISTORY) == pytest.approx({"ann": 0.3, "bob": 0.1})
    assert pauses([*HISTORY, Acknowledged(9.5, "ann", 3)])["ann"] == pytest.approx(8.0)


def test_our_own_stalls_are_nobodys_pause() -> None:
    stalled = [*HISTORY, Stalled(7.5, 5.0), Acknowledged(9.5, "ann", 3)]
    assert pauses(stalled)["ann"] == pytest.approx(3.0)


def test_typing_again_is_when_something_typed_since_is_acknowledged() -> None:
    assert typing_again(HISTORY, 1.05) == pytest.approx({"ann": 0.35, "bob": 0.35})
    # What was typed before and is acknowledged after says nothing of typing again.
    assert typing_again(HISTORY, 1.45) == {"ann": NEVER}
    assert typing_again(HISTORY, 2.0) == {}


def test_who_is_behind_is_behind_what_was_acknowledged() -> None:
    seen = [Connected(0.5, "bob"), *HISTORY, Shown(3.4, "bob", "ann", 2)]
    assert farthest_behind(seen) == pytest.approx(2.0)
    assert farthest_behind(seen, since=3.5) == 0.0
    assert farthest_behind(seen, committed_since=1.5) == 0.0


def test_who_was_away_is_not_behind() -> None:
    away = [Connected(0.5, "bob"), *HISTORY, Disconnected(2.0, "bob"), Connected(3.0, "bob")]
    assert farthest_behind([*away, Shown(3.1, "bob", "ann", 2)]) == pytest.approx(0.05)


def test_caught_up_is_when_all_that_was_typed_before_is_everywhere() -> None:
    seen = [*HISTORY, Shown(1.9, "ann", "bob", 1), Shown(2.5, "bob", "ann", 3), Acknowledged(2.6, "ann", 3)]
    assert caught_up(seen, 1.6, AUTHORS) == pytest.approx(1.0)
    assert caught_up(seen, 1.45, AUTHORS) == pytest.approx(1.05)
    assert caught_up(seen[:-1], 1.6, AUTHORS) == NEVER
    assert caught_up(seen, 1.6, [*AUTHORS, "viewer"]) == NEVER


FAST = Figures(tokens=10, lost=0, doubled=0, stored_twice=0, typing_again=1.0, pause=1.0, behind=1.0, caught_up=1.0)
SLOW = Figures(tokens=10, lost=0, doubled=0, stored_twice=1, typing_again=4.0, pause=4.0, behind=4.0, caught_up=NEVER)


def test_only_what_is_promised_is_too_slow() -> None:
    strict = Bounds(typing_again=3.0, pause=2.0, behind=2.0, caught_up=5.0)
    assert not check_bounds(FAST, strict)
    assert kinds(check_bounds(SLOW, strict)) == [Kind.SLOW] * 4 + [Kind.STORED_TWICE]
    assert not check_bounds(SLOW, Bounds(stored_twice=True))


def test_who_is_slow_when_all_is_well_again_is_found_out_whatever_is_promised() -> None:
    assert kinds(check_bounds(replace(FAST, calm=CALM_SECONDS + 0.1), Bounds())) == [Kind.SLOW]


def test_a_node_that_grows_is_found_out() -> None:
    assert not check_growth({"node 0": Grown(MEMORY_BYTES, DESCRIPTORS)})
    findings = check_growth({"node 0": Grown(MEMORY_BYTES + 1, 0), "node 1": Grown(0, DESCRIPTORS + 1)})
    assert [finding.where for finding in findings] == ["node 0", "node 1"]


def test_a_history_is_written_down_and_read_back(tmp_path: Path) -> None:
    times = iter([5.0, 6.25])
    with History(tmp_path / "history.jsonl", clock=lambda: next(times), wall=lambda: 1000.0) as history:
        assert history.now == 1.25
        for record in (
            RoundBegan(0.5, 1),
            Began(1.0, 0, "kill", "node 2", (3, 2, 2)),
            Ended(2.0, 0),
            Agreed(3.0),
            *HISTORY,
        ):
            history.add(record)
    assert read_history(tmp_path / "history.jsonl") == [Opened(0.0, 1000.0), *history.records[1:]]


def test_the_records_of_a_session_fall_into_rounds() -> None:
    records = [Opened(0.0, 1000.0), RoundBegan(1.0, 1), Agreed(2.0), RoundBegan(3.0, 2)]
    assert list(of_rounds(records)) == [records[1:3], records[3:]]
