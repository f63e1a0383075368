"""Honest bytes made dishonest, and updates that are well formed and strange; all from a random source."""

from collections.abc import Sequence
from random import Random

from crdt.summary import Id, UpdateSummary
from tests.crdt.hand_made import (
    TEXT_TYPE,
    deleted,
    deletions,
    embedded,
    formatting,
    gc,
    section,
    string,
    update,
    values,
)

# Counts, lengths, heads of structs and the first bytes of long numbers: what means something somewhere.
TELLING_BYTES = bytes.fromhex("00010203057e7f80ff048444c42427872886c681c1880a")
MOST_CHANGES = 5


def mutated(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """The data with a few changes.

    Args:
        random: from which everything follows.
        data: not empty.
        others: from which pieces are taken.
    """
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, MOST_CHANGES))):
        _change(random, changed, others)
    return bytes(changed)


def _change(random: Random, data: bytearray, others: Sequence[bytes]) -> None:
    place = random.randrange(len(data)) if data else 0
    few = random.randint(1, 3)
    kind = random.randrange(7) if data else 4
    if kind == 0:
        data[place] = random.randrange(256)
    elif kind == 1:
        data[place] ^= 1 << random.randrange(8)
    elif kind == 2:
        data[place] = random.choice(TELLING_BYTES)
    elif kind == 3:
        del data[place : place + few]
    elif kind == 4:
        data[place:place] = bytes(random.choices(TELLING_BYTES, k=few))
    elif kind == 5:
        other = random.choice(others)
        start = random.randrange(len(other))
        data[place : place + random.randrange(8)] = other[start : start + random.randint(1, 12)]
    else:
        data[place] = (data[place] + random.choice((-1, 1))) % 256


class StrangeUpdates:
    """Updates that refer to whatever is there, in ways that no editor does.

    Args:
        random: from which everything follows.
        known: what the updates so far have brought, by which ids are chosen.
    """

    def __init__(self, random: Random, known: Sequence[UpdateSummary]) -> None:
        self._random = random
        self._state = {client: end for summary in known for client, _, end in summary.writes}
        self._types = [place for summary in known for place in summary.structure.types]

    def make(self) -> bytes:
        """One or two clients' structs, old or new, and perhaps a deletion."""
        random = self._random
        clients = random.sample(
            [*self._state, random.randrange(2**32), random.randrange(2**32)], random.choice((1, 1, 2))
        )
        self._ends = dict(self._state)
        sections = [self._section(client) for client in dict.fromkeys(clients)]
        deletes = (self._deletion(),) if self._state and random.random() < 0.4 else ()
        return update(*sections, deletes=deletes)

    def _section(self, client: int) -> bytes:
        random = self._random
        start = clock = self._state.get(client, 0)
        if random.random() < 0.2:
            start = clock = clock - random.randint(0, min(clock, 4))
        structs = []
        for _ in range(random.randint(1, 3)):
            struct, length = self._struct(client, clock)
            structs.append(struct)
            clock += length
        self._ends[client] = max(clock, self._ends.get(client, 0))
        return section(client, start, *structs)

    def _struct(self, client: int, clock: int) -> tuple[bytes, int]:
        random = self._random
        if random.random() < 0.05:
            return gc(2), 2
        where = self._where(client, clock)
        kind = random.choices(range(5), (12, 1, 2, 1, 1))[0]
        if kind == 0:
            text = random.choice(("a", "bc", "def", "é", "😀", "x😀y"))
            return string(text, **where), len(text.encode("utf-16-le")) // 2
        if kind == 1:
            return deleted(2, **where), 2
        if kind == 2:
            return formatting(random.choice(("true", "null", '"x"', '{"a":1}')), **where), 1
        if kind == 3:
            return embedded(random.randint(0, TEXT_TYPE), **where), 1
        return values(b"\x7e", b"\x75\x01\x7d\x03", **where), 2

    def _where(self, client: int, clock: int) -> dict[str, Id | str | None]:
        random = self._random
        kind = random.choice(("first", "left", "left", "right", "both", "both", "both"))
        left, right = self._id(client, clock), self._id(client, clock)
        key = random.choice("ab") if random.random() < 0.15 else None
        if left is None or right is None or kind == "first":
            if self._types and random.random() < 0.4:
                return {"parent": random.choice(self._types), "key": key}
            return {"parent": random.choice(("content", "content", "map", "other")), "key": key}
        if kind == "left":
            return {"left": left, "key": key}
        if kind == "right":
            return {"right": right, "key": key}
        return {"left": left, "right": right, "key": key}

    def _id(self, client: int, clock: int) -> Id | None:
        random = self._random
        ends = {**self._ends, client: clock}
        someone = random.choice(list(ends))
        if not ends[someone]:
            return None
        return someone, ends[someone] - 1 if random.random() < 0.4 else random.randrange(ends[someone])

    def _deletion(self) -> bytes:
        random = self._random
        client = random.choice(list(self._state))
        start = random.randrange(self._state[client])
        return deletions(client, (start, random.randint(1, min(6, self._state[client] - start))))
