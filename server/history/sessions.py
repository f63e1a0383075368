"""When who worked on a prompt: its journal as sessions, which are runs of edits without a long pause."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from persistence.edits import EditKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from persistence.edits import JournalEntry

# Who makes a longer pause has done something else meanwhile.
PAUSE: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Session:
    """Edits of one time.

    Arguments: `from_seq` and `to_seq` are the first and the last of them; `user_ids` and `kinds` are in the order in
    which they first appeared; `inserted` and `deleted` are about how many UTF-16 units.
    """

    from_seq: int
    to_seq: int
    started_at: datetime
    ended_at: datetime
    user_ids: tuple[UUID, ...]
    kinds: tuple[EditKind, ...]
    inserted: int
    deleted: int

    def joined(self, later: Session) -> Session | None:
        """Answers both as one, None where there is a pause between them."""
        if later.started_at - self.ended_at > PAUSE:
            return None
        return replace(
            self,
            to_seq=later.to_seq,
            ended_at=max(self.ended_at, later.ended_at),
            user_ids=tuple(dict.fromkeys(self.user_ids + later.user_ids)),
            kinds=tuple(dict.fromkeys(self.kinds + later.kinds)),
            inserted=self.inserted + later.inserted,
            deleted=self.deleted + later.deleted,
        )


def sessions_of(entries: Iterable[JournalEntry], counts: Iterable[tuple[int, int]]) -> list[Session]:
    """Answers the sessions of entries, with what each entry inserted and deleted."""
    sessions: list[Session] = []
    for entry, (inserted, deleted) in zip(entries, counts, strict=True):
        at = entry.created_at
        one = Session(entry.seq, entry.seq, at, at, (entry.user_id,), (entry.kind,), inserted, deleted)
        joined = sessions[-1].joined(one) if sessions else None
        if joined is None:
            sessions.append(one)
        else:
            sessions[-1] = joined
    return sessions


def encode_sessions(sessions: Sequence[Session]) -> bytes:
    """Answers sessions as bytes, for `decode_sessions`."""
    return json.dumps([_as_json(session) for session in sessions], separators=(",", ":")).encode()


def decode_sessions(data: bytes) -> list[Session]:
    """Answers what was encoded."""
    return [_from_json(one) for one in json.loads(data)]


def _as_json(session: Session) -> list[Any]:
    return [
        session.from_seq,
        session.to_seq,
        session.started_at.isoformat(),
        session.ended_at.isoformat(),
        [user_id.hex for user_id in session.user_ids],
        session.kinds,
        session.inserted,
        session.deleted,
    ]


def _from_json(said: list[Any]) -> Session:
    from_seq, to_seq, started_at, ended_at, user_ids, kinds, inserted, deleted = said
    return Session(
        from_seq,
        to_seq,
        datetime.fromisoformat(started_at),
        datetime.fromisoformat(ended_at),
        tuple(map(UUID, user_ids)),
        tuple(map(EditKind, kinds)),
        inserted,
        deleted,
    )
