"""Keystrokes that come in together and stand one behind the other, as the one update they add up to.

Whoever types fast, and every program that writes, sends many small updates at once. Joined while they are read, the
gate, the journal and the engine deal with one update where there were dozens.

Rules:

- the first is read strictly; each that follows has to be, byte for byte, what Yjs writes for ASCII text put behind the
  last character and before the same right neighbour; anything else ends the run;
- the joined update is what Yjs itself makes of these structs when it merges them.

Source: Yjs ``structs/Item.js``, ``mergeWith``; ``utils/encoding.js``, ``writeClientsStructs``.
"""

from __future__ import annotations

from typing import Final

from crdt.codec import SHORT_UPDATE_HEADER, write_var_bytes, write_var_uint
from crdt.content import MAX_CLOCK
from crdt.keystroke import read_keystroke
from crdt.ranges import ClockRange
from crdt.summary import Place, UpdateSummary
from crdt.varint import MORE

# One client, one struct.
_HEAD: Final = b"\x01\x01"
_BEHIND: Final = b"\x84"
_BETWEEN: Final = b"\xc4"
_NO_DELETIONS: Final = 0


class TypedRun:
    """A run that grows.

    Attributes:
        count: how many updates it stands for.
    """

    __slots__ = ("_author", "_expected", "_first", "_neighbour", "_texts", "_update", "count", "end")

    def __init__(self, update: bytes, first: UpdateSummary) -> None:
        place = first.places[0]
        self.count = 1
        self.end = place.end
        self._update = update
        self._first = first
        self._texts = [update[-1 - first.content_bytes : -1]]
        self._author = write_var_uint(place.client)
        self._neighbour = b"" if place.right is None else b"".join(map(write_var_uint, place.right))
        self._expected = self._next(write_var_uint(place.end - 1))

    @classmethod
    def begin(cls, update: bytes) -> TypedRun | None:
        """A run that begins with this update, if it is a keystroke."""
        summary = read_keystroke(update)
        return None if summary is None else cls(update, summary)

    def take(self, frame: bytes) -> bool:
        """Take in the frame of a short update, and answer whether it goes on with the run."""
        expected = self._expected
        if not frame.startswith(expected, SHORT_UPDATE_HEADER):
            return False
        length_at = SHORT_UPDATE_HEADER + len(expected)
        text = frame[length_at + 1 : -1]
        length = len(text)
        if not length or frame[length_at] != length or frame[-1] != _NO_DELETIONS or not text.isascii():
            return False
        end = self.end + length
        if length >= MORE or end > MAX_CLOCK:
            return False
        self._texts.append(text)
        self.count += 1
        self.end = end
        self._expected = self._next(write_var_uint(end - 1))
        return True

    def joined(self) -> tuple[bytes, UpdateSummary]:
        """The update that all of them add up to, and what the strict reader finds in it."""
        if self.count == 1:
            return self._update, self._first
        (client, start, _, left, right, _), *_ = self._first.places
        text = b"".join(self._texts)
        left_id = b"" if left is None else b"".join(map(write_var_uint, left))
        update = b"".join(
            (
                _HEAD,
                self._author,
                write_var_uint(start),
                _BETWEEN if right else _BEHIND,
                left_id,
                self._neighbour,
                write_var_bytes(text),
                b"\x00",
            )
        )
        return update, UpdateSummary(
            (ClockRange(client, start, self.end),),
            self._first.depends_on,
            content_bytes=len(text),
            places=(Place(client, start, self.end, left, right),),
        )

    def _next(self, last: bytes) -> bytes:
        """All but the text of the update that types on; ``last`` is the clock of the last character."""
        author = self._author
        kind = _BETWEEN if self._neighbour else _BEHIND
        return _HEAD + author + write_var_uint(self.end) + kind + author + last + self._neighbour
