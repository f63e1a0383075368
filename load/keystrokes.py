"""Typed characters as updates of Yjs's first format, made and found at the speed of a load generator.

Somebody types one character behind another: one client, one struct, a string of one character whose left neighbour is
the one before. The update is put together here by hand, because a document would cost ten times as much; the tests hold
it against the strict reader.

What an update writes is found with regular expressions, which walk the structs in C: a server may send it as it came,
merge many into one and leave each a struct of its own, or join what one client typed into one string. Whatever has
another form goes the slow way, through the strict reader.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Final

from crdt.codec import write_var_bytes, write_var_string, write_var_uint
from crdt.document import TEXT_NAME
from crdt.update import read_update
from crdt.varint import read_varint

Written = tuple[int, int, int]
"""What an update writes of one client: the client, the first clock, and the clock behind the last."""

_BEHIND: Final = b"\x84"
_IN_ROOT: Final = b"\x04\x01" + write_var_string(TEXT_NAME)
_ONE_OF_ONE: Final = b"\x01\x01"
_NOTHING_DELETED: Final = b"\x00"
_MORE: Final = 0x80
# Varints that are not longer than a number of 53 bits needs.
_NUMBER: Final = rb"[\x80-\xff]{0,7}[\x00-\x7f]"
_SECTION: Final = re.compile(rb"(%b)(%b)(%b)" % (_NUMBER, _NUMBER, _NUMBER), re.DOTALL)
_PLACE: Final = re.compile(rb"(?:\x84%b%b|%b)" % (_NUMBER, _NUMBER, re.escape(_IN_ROOT)), re.DOTALL)
_CHARACTER: Final = rb"(?:\x84%b%b|%b)\x01[\x00-\x7f]" % (_NUMBER, _NUMBER, re.escape(_IN_ROOT))
# More structs than this in one pattern would only make the patterns longer.
_AT_ONCE: Final = 256


class Typist:
    """Makes the updates of one client that types behind its own last character.

    Args:
        client: its id.
    """

    __slots__ = ("_author", "_last", "clock")

    def __init__(self, client: int) -> None:
        self.clock = 0
        """How many characters it has typed."""
        self._author = write_var_uint(client)
        self._last = b""

    def press(self, character: bytes) -> bytes:
        """The update that types one more character.

        Args:
            character: one of ASCII.
        """
        clock = write_var_uint(self.clock)
        place = _BEHIND + self._author + self._last if self.clock else _IN_ROOT
        self.clock += 1
        self._last = clock
        return b"%b%b%b%b\x01%b\x00" % (_ONE_OF_ONE, self._author, clock, place, character)

    def paste(self, text: bytes) -> bytes:
        """The update that types a whole text of ASCII at once."""
        clock = write_var_uint(self.clock)
        place = _BEHIND + self._author + self._last if self.clock else _IN_ROOT
        self.clock += len(text)
        self._last = write_var_uint(self.clock - 1)
        return _ONE_OF_ONE + self._author + clock + place + write_var_bytes(text) + _NOTHING_DELETED


def typed(client: int, text: bytes, since: int = 0) -> bytes:
    """The update that holds what a client has typed.

    Args:
        client: its id.
        text: all that it has typed, in ASCII.
        since: how much of that is left out.
    """
    if since >= len(text):
        return b"\x00\x00"
    author = write_var_uint(client)
    place = _BEHIND + author + write_var_uint(since - 1) if since else _IN_ROOT
    return _ONE_OF_ONE + author + write_var_uint(since) + place + write_var_bytes(text[since:]) + _NOTHING_DELETED


def find_written(data: bytes, offset: int = 0) -> list[Written]:
    """What an update writes, run by run.

    Args:
        data: holds the update, to its end.
        offset: where in it the update begins.

    Raises:
        UpdateError: It is none.
    """
    try:
        return _found(data, offset)
    except _AnotherForm:
        return [(client, start, end) for client, start, end in read_update(data[offset:]).writes]


class _AnotherForm(Exception):
    """The update is not only typed text."""


def _found(data: bytes, offset: int) -> list[Written]:
    try:
        count, offset = _read(data, offset)
        written = []
        for _ in range(count):
            head = _SECTION.match(data, offset)
            if head is None:
                raise _AnotherForm
            structs, client, clock = map(_value, head.groups())
            end, offset = (_run if structs == 1 else _characters)(data, head.end(), clock, structs)
            written.append((client, clock, end))
        if data[offset:] != _NOTHING_DELETED:
            raise _AnotherForm
    except IndexError as error:
        raise _AnotherForm from error
    return written


def _run(data: bytes, offset: int, clock: int, _: int) -> tuple[int, int]:
    """A string of any length; answers the clock and the offset behind it."""
    place = _PLACE.match(data, offset)
    if place is None:
        raise _AnotherForm
    length, start = _read(data, place.end())
    end = start + length
    text = data[start:end]
    if len(text) != length or not text.isascii():
        raise _AnotherForm
    return clock + length, end


def _characters(data: bytes, offset: int, clock: int, structs: int) -> tuple[int, int]:
    """So many strings of one character each."""
    left = structs
    while left:
        some = min(left, _AT_ONCE)
        found = _so_many(some)(data, offset)
        if found is None:
            raise _AnotherForm
        offset = found.end()
        left -= some
    return clock + structs, offset


@cache
def _so_many(structs: int) -> Callable[[bytes, int], re.Match[bytes] | None]:
    return re.compile(rb"(?:%b){%d}" % (_CHARACTER, structs), re.DOTALL).match


def _read(data: bytes, offset: int) -> tuple[int, int]:
    """A varint, which nearly always is one byte."""
    byte = data[offset]
    return (byte, offset + 1) if byte < _MORE else read_varint(data, offset)


def _value(varint: bytes) -> int:
    return varint[0] if len(varint) == 1 else read_varint(varint, 0)[0]
