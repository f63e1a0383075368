"""Whether this process is up with the time.

A process can be stopped for half a minute (SIGSTOP, a virtual machine that is moved, a laptop's lid) and go on as if
nothing had happened. What it knew may be long untrue then: who may write, how far the journal is. So a node whose pulse
has missed a few beats hands nothing to the journal before it has looked around.

Rules
    1. The pulse beats every second. Between two beats that are `PAUSE_SECONDS` or more apart the process was away.
    2. From then on nothing is current, until whoever owns the pulse has made sure of what it knows and says so. What
       was asked before the process was away says nothing of the time since: `absences` tells whether it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

# A busy loop may lose a second or two; less than this, and what others have said meanwhile is read in the same turn.
PAUSE_SECONDS: Final = 4.0


class Pulse:
    """The pulse of one process.

    Arguments: `clocks` answer seconds; the process was away where one of them says so. A clock that only goes forward
    stands still while the machine is suspended, and the time of day does not: that it is set right costs a look.
    """

    __slots__ = ("_beaten_at", "_clocks", "_was_away", "absences")

    def __init__(self, *clocks: Callable[[], float]) -> None:
        self._clocks = clocks
        self._beaten_at = [clock() for clock in clocks]
        self._was_away = False
        self.absences = 0
        """How many times this process was away, as far as beats have told."""

    def is_current(self) -> bool:
        """Whether what this process knows can be acted upon."""
        return not self._was_away and not self._is_late()

    def beat(self) -> bool:
        """Beats; answers whether what is known has to be made sure of, and `renewed` is to be called then."""
        if self._is_late():
            self._was_away = True
            self.absences += 1
        self._beaten_at = [clock() for clock in self._clocks]
        return self._was_away

    def renewed(self) -> None:
        """Everything that is known was made sure of."""
        self._was_away = False

    def _is_late(self) -> bool:
        pairs = zip(self._clocks, self._beaten_at, strict=True)
        return any(clock() - beaten_at >= PAUSE_SECONDS for clock, beaten_at in pairs)
