import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.codec import write_var_uint
from crdt.varint import MAX_VARINT, read_varint

BYTES_OF_53_BITS = 8


@given(st.integers(0, MAX_VARINT), st.binary(max_size=3), st.binary(max_size=3))
def test_reads_what_was_written(value: int, before: bytes, behind: bytes) -> None:
    encoded = write_var_uint(value)

    assert read_varint(before + encoded + behind, len(before)) == (value, len(before) + len(encoded))


@pytest.mark.parametrize("bits", range(54))
def test_reads_every_length(bits: int) -> None:
    for value in {(1 << bits) - 1, min(1 << bits, MAX_VARINT)}:
        assert read_varint(write_var_uint(value), 0)[0] == value


@pytest.mark.parametrize("value", [0, 1, 127])
def test_a_number_may_be_longer_than_it_needs(value: int) -> None:
    # lib0 never writes it and reads it; so do we.
    for length in range(1, BYTES_OF_53_BITS):
        assert read_varint(bytes([value | 0x80, *[0x80] * (length - 1), 0]), 0) == (value, length + 1)


@pytest.mark.parametrize("value", [0, 128, 2**32 - 1, MAX_VARINT])
def test_truncation_at_every_byte(value: int) -> None:
    encoded = write_var_uint(value)
    for length in range(len(encoded)):
        with pytest.raises(IndexError):
            read_varint(encoded[:length], 0)


@pytest.mark.parametrize(
    "encoded", [b"\xff" * 7 + b"\x10", b"\xff" * 8 + b"\x01", b"\x80" * 8 + b"\x00", b"\xff" * 1_000_000]
)
def test_more_than_53_bits_or_8_bytes(encoded: bytes) -> None:
    with pytest.raises(OverflowError):
        read_varint(encoded, 0)


@pytest.mark.parametrize("value", [-1, MAX_VARINT + 1, 2**300])
def test_does_not_write_what_it_would_not_read(value: int) -> None:
    with pytest.raises(ValueError, match="not a varint"):
        write_var_uint(value)
