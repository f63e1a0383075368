"""Updates written by hand, byte by byte, so that they can be wrong in one place."""

from crdt.codec import write_var_string, write_var_uint

Id = tuple[int, int]
GC, DELETED, JSON, BINARY, STRING, EMBED, FORMAT, TYPE, VALUES, DOCUMENT, SKIP = range(11)
ARRAY_TYPE, MAP_TYPE, TEXT_TYPE, XML_TYPE = range(4)

NO_DELETIONS = b"\x00"
NULL = b"\x7e"


def number(value: int) -> bytes:
    return write_var_uint(value)


def place(
    kind: int, *, left: Id | None = None, right: Id | None = None, parent: str | Id = "content", key: str | None = None
) -> bytes:
    """The head of a struct: its kind, its neighbours, and without neighbours what it stands in."""
    info = kind | (0x80 if left else 0) | (0x40 if right else 0) | (0x20 if key is not None else 0)
    head = bytes((info,))
    for neighbour in (left, right):
        if neighbour:
            head += number(neighbour[0]) + number(neighbour[1])
    if left or right:
        return head
    head += (
        b"\x01" + write_var_string(parent)
        if isinstance(parent, str)
        else b"\x00" + number(parent[0]) + number(parent[1])
    )
    return head + (write_var_string(key) if key is not None else b"")


def string(text: str | bytes, **where: Id | str | None) -> bytes:
    encoded = text.encode() if isinstance(text, str) else text
    return place(STRING, **where) + number(len(encoded)) + encoded  # type: ignore[arg-type]


def deleted(length: int, **where: Id | str | None) -> bytes:
    return place(DELETED, **where) + number(length)  # type: ignore[arg-type]


def formatting(value: str, **where: Id | str | None) -> bytes:
    return place(FORMAT, **where) + write_var_string("bold") + write_var_string(value)  # type: ignore[arg-type]


def embedded(kind: int = TEXT_TYPE, **where: Id | str | None) -> bytes:
    return place(TYPE, **where) + number(kind)  # type: ignore[arg-type]


def values(*encoded: bytes, **where: Id | str | None) -> bytes:
    return place(VALUES, **where) + number(len(encoded)) + b"".join(encoded)  # type: ignore[arg-type]


def gc(length: int) -> bytes:
    return b"\x00" + number(length)


def skip(length: int) -> bytes:
    return b"\x0a" + number(length)


def section(client: int, clock: int, *structs: bytes) -> bytes:
    return number(len(structs)) + number(client) + number(clock) + b"".join(structs)


def deletions(client: int, *ranges: tuple[int, int]) -> bytes:
    """The ranges are (clock, length)."""
    return number(client) + number(len(ranges)) + b"".join(number(clock) + number(length) for clock, length in ranges)


def update(*sections: bytes, deletes: tuple[bytes, ...] = ()) -> bytes:
    return number(len(sections)) + b"".join(sections) + number(len(deletes)) + b"".join(deletes)
