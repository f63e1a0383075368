"""What this node tells the others of those who are in one room here, and when.

Rules
    1. What has changed is told in the rhythm in which the readers here are told, merged; what other nodes have said is
       never told again.
    2. Everything is told when the room is opened, when the bus is back, and when a node asks for it; to all of them
       together that ask between two flushes.
    3. A node that has somebody in the room is heard every `RENEWAL_SECONDS`, if only to say that nothing has changed:
       who missed something finds that out then at the latest, and asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from server.attendance import Attendance
from server.limits import AWARENESS_TIMEOUT_SECONDS
from server.presence_report import encode_reports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from server.attendance import Participant
    from server.presence_report import Claim

# As often as clients renew their states.
RENEWAL_SECONDS: Final = AWARENESS_TIMEOUT_SECONDS / 2
# Two renewals may be lost on the way. A node that dies is forgotten long before, by its missing heartbeats.
SILENCE_SECONDS: Final = 3 * RENEWAL_SECONDS
# The answer takes two flushes and two ways; meanwhile a busy node says more that means nothing yet.
ASK_AGAIN_SECONDS: Final = 1.0


class Announcer:
    """The voice of one room towards the other nodes.

    Arguments: `publish` hands a payload to them; `clock` answers seconds that only go forward.
    """

    def __init__(self, publish: Callable[[bytes], None], clock: Callable[[], float]) -> None:
        self.attendance = Attendance()
        self._publish = publish
        self._clock = clock
        self._changed: set[int] = set()
        self._tells_everything = self._asks = self._renews = False
        self._told_at = clock()
        self._asked_at = float("-inf")
        self._has_told = False

    @property
    def has_news(self) -> bool:
        """Whether there is something to tell."""
        return bool(self._changed or self._tells_everything or self._asks or self._renews or self.attendance.has_news)

    def changed(self, client_id: int) -> None:
        """A connection of this node has said something under a client id, or holds it no more."""
        self._changed.add(client_id)

    def tell_everything(self, *, asks: bool = False) -> None:
        """Tells the others everything with the next flush; `asks` has them do the same."""
        self._tells_everything = True
        self._asks = self._asks or asks

    def ask(self) -> None:
        """Asks the others for everything with the next flush, unless they were asked just now."""
        now = self._clock()
        if now - self._asked_at >= ASK_AGAIN_SECONDS:
            self._asked_at = now
            self._asks = True

    def look_around(self) -> None:
        """Does what time asks for; called every second or so."""
        self.attendance.look_around()
        self._renews = bool(self.attendance) and self._clock() - self._told_at >= RENEWAL_SECONDS

    def flush(self, held: Iterable[int], claim_of: Callable[[int], Claim | None]) -> None:
        """Tells what there is to tell.

        Arguments: `held` are the client ids that connections of this node hold; `claim_of` answers what one of them
        says under an id, None where none holds it any more.
        """
        if not self.has_news:
            return
        people = self.attendance.take_all() if self._tells_everything else self.attendance.take_changes()
        claims, gone = [], []
        for client_id in held if self._tells_everything else self._changed:
            claim = claim_of(client_id)
            if claim is not None:
                claims.append(claim)
            else:
                gone.append(client_id)
        self._tell(claims, gone, people)
        self._changed.clear()
        self._tells_everything = self._asks = self._renews = False

    def farewell(self) -> None:
        """Takes back everything that was told."""
        if self._has_told:
            self._tells_everything = True
            self._asks = False
            self._tell([], [], [])

    def _tell(self, claims: list[Claim], gone: list[int], people: list[Participant]) -> None:
        self._has_told = True
        self._told_at = self._clock()
        reports = encode_reports(claims, gone, people, is_everything=self._tells_everything, asks=self._asks)
        for payload in reports:
            self._publish(payload)
