from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.codec import write_var_uint
from crdt.document import Document
from crdt.errors import StateVectorError
from crdt.update import encode_state_vector, read_state_vector
from tests.crdt.sessions import honest_session

MAX_CLOCK = 2**31 - 1

states = st.dictionaries(st.integers(0, 2**53 - 1), st.integers(0, MAX_CLOCK), max_size=20)


def is_refused(data: bytes) -> bool:
    with pytest.raises(StateVectorError) as caught:
        read_state_vector(data)
    return caught.value.code == "state_vector_malformed"


@given(states)
def test_reads_what_was_written(state: dict[int, int]) -> None:
    assert read_state_vector(encode_state_vector(state)) == state


@given(states)
def test_truncation_at_every_byte(state: dict[int, int]) -> None:
    encoded = encode_state_vector(state)
    for length in range(len(encoded)):
        assert is_refused(encoded[:length])


def test_reads_what_the_engine_writes() -> None:
    document = Document()
    document.apply(honest_session(Random(3)).updates)

    assert document.state_vector()
    assert read_state_vector(document.encode_state_vector()) == document.state_vector()


def test_is_written_as_yjs_does() -> None:
    assert encode_state_vector({1: 2, 300: 4}) == b"\x02\xac\x02\x04\x01\x02"
    assert encode_state_vector({}) == b"\x00"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        write_var_uint(2**29),
        write_var_uint(2**29) + bytes(1_000_000),
        b"\xff" * 8_000_000,
        b"\x01" + b"\xff" * 8_000_000,
        b"\x01\x07\x01\x00",
        b"\x02\x07\x01\x07\x02",
        b"\x01\x07" + write_var_uint(MAX_CLOCK + 1),
        b"\x01" + write_var_uint(2**53 - 1)[:-1] + b"\x1f\x01",
    ],
)
def test_what_is_none(data: bytes) -> None:
    assert is_refused(data)


@given(st.binary(max_size=50))
def test_any_bytes_are_a_state_vector_or_our_error(data: bytes) -> None:
    try:
        state = read_state_vector(data)
    except StateVectorError:
        return
    assert read_state_vector(encode_state_vector(state)) == state
