"""Every hostile input, read: refused under the right code, or well formed and stopped elsewhere."""

from pathlib import Path

import pytest

from crdt.causality import Knowledge, Need
from crdt.codec import decode_frame
from crdt.errors import CrdtError, UpdateError
from crdt.ranges import ClockRange
from crdt.update import read_state_vector, read_update
from tests.crdt.hand_made import section, string, update

DIRECTORY = Path(__file__).parents[1] / "data" / "hostile"
MAX_FRAME_BYTES = 8 * 1024 * 1024

REFUSED = {
    "fuzz_01.update": "update_empty_struct",
    "fuzz_02.update": "update_content_unsupported",
    "fuzz_04.update": "update_client_repeated",
    "fuzz_05.update": "update_clock_oversize",
    "fuzz_06.update": "update_content_unsupported",
    "fuzz_07.update": "update_empty_struct",
    "fuzz_08.update": "update_clock_oversize",
    "fuzz_09.update": "update_clock_oversize",
    "fuzz_10.update": "update_empty_struct",
    "fuzz_11.update": "update_clock_oversize",
    "fuzz_12.update": "update_count_oversize",
    "fuzz_13.update": "update_clock_oversize",
    "fuzz_14.update": "update_empty_struct",
    "fuzz_15.update": "update_range_order",
    "fuzz_16.sv": "state_vector_malformed",
    "fuzz_17.update": "update_clock_oversize",
    "fuzz_18.update": "update_clock_oversize",
    "fuzz_19.update": "update_empty_struct",
    "fuzz_20.update": "update_content_unsupported",
    "fuzz_21.update": "update_own_future",
    "fuzz_22.update": "update_clock_oversize",
    "fuzz_23.update": "update_clock_oversize",
    "js_stack_nested_any_15000.update": "update_nested_too_deep",
    "mem_1GiB_state_vector_2p29.sv": "state_vector_malformed",
    "panic_8_bytes_client2.update": "update_empty_struct",
    "poison_room_zero_len_gc_client7.update": "update_empty_struct",
    "quadratic_varint_200KB.frame": "varint_oversize",
    "segv_nested_any_41000.update": "update_nested_too_deep",
}

WELL_FORMED = {
    "clock_poison_victim7_at5_len1000.update",
    "fuzz_00.update",
    "fuzz_03.update",
    "half_emoji_delete.update",
    "nonatomic_failure.update",
}


def content(name: str) -> bytes:
    return (DIRECTORY / name).read_bytes()


def read(name: str) -> object:
    if name.endswith(".update"):
        return read_update(content(name))
    if name.endswith(".sv"):
        return read_state_vector(content(name))
    return decode_frame(content(name), max_bytes=MAX_FRAME_BYTES)


def knowing(*updates: bytes) -> Knowledge:
    knowledge = Knowledge()
    for each in updates:
        knowledge.add(read_update(each))
    return knowledge


def test_no_input_is_forgotten() -> None:
    inputs = {file.name for file in DIRECTORY.iterdir() if file.suffix in {".update", ".sv", ".frame"}}

    assert inputs == REFUSED.keys() | WELL_FORMED


@pytest.mark.parametrize(("name", "code"), REFUSED.items())
def test_is_refused(name: str, code: str) -> None:
    with pytest.raises(CrdtError) as caught:
        read(name)
    assert caught.value.code == code


def test_clock_poison_is_no_matter_of_form() -> None:
    # 1,000 collected clocks of somebody else's client: stopped where client ids are bound to users, at the room's gate.
    summary = read_update(content("clock_poison_victim7_at5_len1000.update"))

    assert summary.writes == (ClockRange(7, 5, 1005),)
    assert knowing(update(section(7, 0, string("hello")))).is_ready(summary)


def test_fuzz_00_deletes_what_may_not_be_there_yet() -> None:
    # Stopped by readiness: it waits, bounded, until all that it deletes is here, and then it is an ordinary deletion.
    summary = read_update(content("fuzz_00.update"))

    assert summary.deletes == (ClockRange(2, 5, 105),)
    assert knowing(update(section(2, 0, string("hello")))).first_need(summary) == Need(2, 105)
    assert knowing(update(section(2, 0, string("x" * 105)))).is_ready(summary)


def test_fuzz_03_goes_on_from_what_may_not_be_there_yet() -> None:
    # Stopped by readiness where either client is missing, and by its client id being bound where they are not.
    summary = read_update(content("fuzz_03.update"))

    assert summary.writes == (ClockRange(2, 1, 3),)
    assert summary.depends_on == {1: 1}
    assert not knowing(update(section(1, 0, string("a")))).is_ready(summary)
    assert not knowing(update(section(2, 0, string("a")))).is_ready(summary)


def test_half_an_emoji_is_stopped_by_what_the_replica_holds() -> None:
    summary = read_update(content("half_emoji_delete.update"))
    knowledge = knowing(update(section(1, 0, string("a😀 and more"))))

    assert summary.deletes == (ClockRange(1, 2, 7),)
    assert knowledge.is_ready(summary)
    with pytest.raises(UpdateError) as caught:
        knowledge.check(summary)
    assert caught.value.code == "update_pair_split"


def test_a_parent_that_is_text_is_stopped_by_what_the_replica_holds() -> None:
    # The engine raises with the update half applied: its text has changed by then.
    summary = read_update(content("nonatomic_failure.update"))
    knowledge = knowing(update(section(7, 0, string("hello"))))

    assert summary.structure.parents == {(7, 0)}
    assert knowledge.is_ready(summary)
    with pytest.raises(UpdateError) as caught:
        knowledge.check(summary)
    assert caught.value.code == "update_parent_invalid"
