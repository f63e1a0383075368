"""Simulated honest editing: several replicas type, delete and hear of each other at random."""

from dataclasses import dataclass
from random import Random

from crdt.diff import TextEdit
from crdt.document import EMPTY_UPDATE, Document
from crdt.offsets import codepoint_to_utf16

PIECES = ("a", "bc", "hello ", "\n", "é", "漢字", "😀", "👩‍👩‍👧", "{{name}}")


@dataclass(frozen=True, slots=True)
class Session:
    """What came of it.

    Args:
        updates: every update, in an order in which each can be applied.
        text: what every replica ends with.
    """

    updates: list[bytes]
    text: str


def random_edit(random: Random, text: str) -> TextEdit:
    """An insertion or a short deletion somewhere in the text, never inside a surrogate pair."""
    place = random.randint(0, len(text))
    start = codepoint_to_utf16(text, place)
    if random.random() < 0.35:
        end = min(len(text), place + random.randint(1, 5))
        return TextEdit(start, codepoint_to_utf16(text, end), "")
    return TextEdit(start, start, random.choice(PIECES))


def honest_session(random: Random, *, clients: int = 4, edits: int = 60) -> Session:
    """Let clients edit while each hears of the others late, and in the end of everything."""
    replicas = [Document(client_id=random.randrange(1, 2**32)) for _ in range(clients)]
    heard = [0] * clients
    updates: list[bytes] = []
    for _ in range(edits):
        client = random.randrange(clients)
        upto = random.randint(heard[client], len(updates))
        replicas[client].apply(updates[heard[client] : upto])
        heard[client] = upto
        update = replicas[client].edit([random_edit(random, replicas[client].text)])
        if update != EMPTY_UPDATE:
            updates.append(update)
    for replica, upto in zip(replicas, heard, strict=True):
        replica.apply(updates[upto:])
    texts = {replica.text for replica in replicas}
    assert len(texts) == 1, f"honest replicas differ: {texts}"
    return Session(updates, texts.pop())
