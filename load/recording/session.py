"""A recorded session: who did what when, knowing how much of the other; and the same as updates that can be sent."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from crdt.diff import TextEdit
from crdt.document import Document

RECORDING: Final = Path(__file__).with_name("session.json.gz")


@dataclass(frozen=True, slots=True)
class Key:
    """One edit, nearly always a key.

    Args:
        author: the number of who made it.
        at: when, in seconds from the beginning.
        seen: how many edits of the other author were in the text by then.
        edit: what it did to that text, in UTF-16 offsets.
    """

    author: int
    at: float
    seen: int
    edit: TextEdit


@dataclass(frozen=True, slots=True)
class Session:
    """A recording.

    Args:
        clients: under which client id each author writes; which one is smaller decides between two who type at the
            same place, so the ids belong to the recording.
        keys: what they did, in the order of time.
        text: what both had in the end.
    """

    clients: tuple[int, ...]
    keys: tuple[Key, ...]
    text: str

    def as_bytes(self) -> bytes:
        """Compressed, one edit a line, each with the milliseconds since the one before."""
        lines = [json.dumps({"clients": self.clients, "text": self.text}, ensure_ascii=False)]
        before = 0
        for key in self.keys:
            at = round(key.at * 1000)
            edit = key.edit
            lines.append(
                json.dumps([key.author, at - before, key.seen, edit.start, edit.end, edit.text], ensure_ascii=False)
            )
            before = at
        return gzip.compress("\n".join(lines).encode(), mtime=0)

    @classmethod
    def of(cls, data: bytes) -> Session:
        """Read what `as_bytes` wrote."""
        head, *lines = gzip.decompress(data).decode().splitlines()
        about = json.loads(head)
        keys, at = [], 0
        for line in lines:
            author, delay, seen, start, end, text = json.loads(line)
            at += delay
            keys.append(Key(author, at / 1000, seen, TextEdit(start, end, text)))
        return cls(tuple(about["clients"]), tuple(keys), about["text"])


@cache
def recorded() -> Session:
    """The session that is kept beside this module."""
    return Session.of(RECORDING.read_bytes())


def as_updates(session: Session) -> tuple[Sequence[bytes], Sequence[str]]:
    """Make the update of every edit, each in its author's replica as it stood at that moment.

    Returns:
        The updates in the order of the recording, and the text each author would come to.
    """
    replicas = [Document(client_id=client) for client in session.clients]
    made: list[list[bytes]] = [[] for _ in session.clients]
    seen = [0] * len(session.clients)
    updates = []
    for key in session.keys:
        replica, others = replicas[key.author], made[1 - key.author]
        news = others[seen[key.author] : key.seen]
        if news:
            replica.apply(news)
            seen[key.author] = key.seen
        updates.append(replica.edit([key.edit]))
        made[key.author].append(updates[-1])
    for author, replica in enumerate(replicas):
        replica.apply(made[1 - author][seen[author] :])
    return updates, [replica.text for replica in replicas]
