import json
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.awareness import (
    MAX_CLOCK,
    MAX_DEPTH,
    AwarenessEntry,
    AwarenessStates,
    Json,
    encode_awareness,
    read_awareness,
)
from crdt.codec import write_var_bytes, write_var_uint
from crdt.errors import AwarenessError

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
STATES = st.none() | st.dictionaries(st.text(max_size=5), JSON, max_size=3)
ENTRIES = st.builds(AwarenessEntry, st.integers(0, 2**53 - 1), st.integers(0, MAX_CLOCK), STATES)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def read(payload: bytes) -> list[AwarenessEntry]:
    return read_awareness(payload, max_entries=10, max_state_bytes=1_000)


def payload_of(*states: bytes, clock: int = 1, clients: Iterator[int] | None = None) -> bytes:
    ids = clients or iter(range(1, 100))
    parts = [write_var_uint(next(ids)) + write_var_uint(clock) + write_var_bytes(state) for state in states]
    return write_var_uint(len(states)) + b"".join(parts)


@given(st.lists(ENTRIES, max_size=5, unique_by=lambda entry: entry.client_id))
def test_what_was_encoded_is_read_again(entries: list[AwarenessEntry]) -> None:
    assert read_awareness(encode_awareness(entries), max_entries=5, max_state_bytes=10_000) == entries


@given(st.binary(max_size=60))
def test_nothing_but_its_own_error_comes_out(payload: bytes) -> None:
    with suppress(AwarenessError):
        read(payload)


def test_every_truncation_is_refused() -> None:
    whole = payload_of(b'{"user":{"name":"Ada"}}', b"null")
    assert len(read(whole)) == 2
    for end in range(len(whole)):
        with pytest.raises(AwarenessError):
            read(whole[:end])


@pytest.mark.parametrize(
    "state",
    [
        b"1",
        b'"text"',
        b"[]",
        b"{",
        b"",
        b"{'a':1}",
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":' + b"9" * 400 + b"}",
        b'{"a":' + b"9" * 5_000 + b"}",
        b'{"a":"\xff"}',
        b'{"a":' + b"[" * 40 + b"]" * 40 + b"}",
        b'{"a":' * 40 + b"1" + b"}" * 40,
        b"[" * 50_000,
    ],
)
def test_states_that_browsers_cannot_read_are_refused(state: bytes) -> None:
    with pytest.raises(AwarenessError):
        read_awareness(payload_of(state), max_entries=10, max_state_bytes=100_000)


def test_brackets_in_names_are_no_depth() -> None:
    state: dict[str, Json] = {"name": "[{" * 100, "list": [[number] for number in range(MAX_DEPTH)]}
    assert read(encode_awareness([AwarenessEntry(1, 1, state)]))[0].state == state


def test_as_deep_as_allowed_is_read() -> None:
    state = b'{"a":' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}"
    assert read(payload_of(state))[0].state == json.loads(state)


def test_half_a_surrogate_survives_as_browsers_write_it() -> None:
    [entry] = read(payload_of(b'{"name":"a\\ud83d"}'))
    assert entry.state == {"name": "a\ud83d"}
    assert read(encode_awareness([entry])) == [entry]


@pytest.mark.parametrize(
    "payload",
    [
        payload_of(b"null", clock=MAX_CLOCK + 1),
        payload_of(b"null", clients=iter([2**53 - 1])) + b"\x00",
        payload_of(*[b"null"] * 11),
        payload_of(b'{"a":"' + b"x" * 1_000 + b'"}'),
        payload_of(b"null", b"{}", clients=iter([5, 5])),
        b"\xff" * 1_000,
        b"\x01\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x01\x04null",
        b"\x01\x01\x01\xff\xff\xff\xff\x0f",
    ],
)
def test_bounds_and_forms_are_kept(payload: bytes) -> None:
    with pytest.raises(AwarenessError):
        read(payload)


def test_a_higher_clock_wins_and_an_equal_or_lower_one_is_no_news() -> None:
    states = AwarenessStates(Clock())
    first = AwarenessEntry(1, 0, {"at": 0})
    assert states.apply([first]) == [first]
    assert states.apply([first, AwarenessEntry(1, 0, {"at": 9})]) == []
    later = AwarenessEntry(1, 5, {"at": 5})
    assert states.apply([later, AwarenessEntry(1, 4, {"at": 4})]) == [later]
    assert states.entries() == [later]
    assert states.get(1) == later
    assert states.get(2) is None


@pytest.mark.parametrize("clock", [5, 6])
def test_null_takes_a_client_away_at_its_clock_or_a_higher_one(clock: int) -> None:
    states = AwarenessStates(Clock())
    states.apply([AwarenessEntry(1, 5, {})])
    gone = AwarenessEntry(1, clock, None)
    assert states.apply([AwarenessEntry(1, 4, None)]) == []
    assert states.apply([gone]) == [gone]
    assert states.apply([gone]) == []
    assert len(states) == 0


def test_removing_tells_others_at_the_clock_they_know() -> None:
    here, there = AwarenessStates(Clock()), AwarenessStates(Clock())
    for states in (here, there):
        states.apply([AwarenessEntry(1, 5, {}), AwarenessEntry(2, 7, {})])
    gone = here.remove([1, 99])
    assert gone == [AwarenessEntry(1, 5, None)]
    assert there.apply(gone) == gone
    assert here.entries() == there.entries() == [AwarenessEntry(2, 7, {})]


def test_who_is_silent_for_long_is_gone_and_who_repeats_themselves_is_not() -> None:
    clock = Clock()
    states = AwarenessStates(clock)
    states.apply([AwarenessEntry(1, 1, {}), AwarenessEntry(2, 1, {})])
    clock.now += 20
    states.apply([AwarenessEntry(2, 2, {})])
    clock.now += 20
    assert states.expire(40.0) == []
    assert states.expire(30.0) == [AwarenessEntry(1, 1, None)]
    assert states.expire(30.0) == []
    assert states.entries() == [AwarenessEntry(2, 2, {})]


def test_nothing_is_remembered_of_those_who_are_gone() -> None:
    states = AwarenessStates(Clock())
    for client_id in range(1_000):
        states.apply([AwarenessEntry(client_id, 1, {})])
        states.apply([AwarenessEntry(client_id, 2, None), AwarenessEntry(client_id + 5_000, 1, None)])
    assert len(states) == 0
    assert all(not value for value in (states._entries, states._heard))  # noqa: SLF001 the memory is the point
