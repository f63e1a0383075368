"""When to connect again, and when not to.

Rules:

- close codes 4400 to 4499 are final; 4401 is not where a fresh token can be had;
- a refused upgrade counts as the close code 4000 above its HTTP status;
- 1012 says itself, in seconds, when to come back;
- everything else is tried again after a delay that doubles, with jitter, until a connection holds.
"""

from __future__ import annotations

from random import Random

from websockets.exceptions import ConnectionClosed, InvalidStatus

from client.errors import PromptClosed

NOT_AUTHENTICATED = 4401
ABNORMAL = 1006
RESTARTING = 1012

_FINAL = range(4400, 4500)
# Request Timeout and Too Many Requests pass by themselves.
_PASSING = (4408, 4429)

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
# A server that says longer is not believed.
LONGEST_PAUSE_SECONDS = 120.0


class Patience:
    """How long to wait before the next attempt.

    Args:
        random: where the jitter comes from, so that clients that lost one server do not return as one.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._failures = 0

    def connected(self) -> None:
        """A connection holds: the next failure is a first one."""
        self._failures = 0

    def next_delay(self, closed: PromptClosed | None = None) -> float:
        """The seconds to wait after one more failure.

        Args:
            closed: how the connection ended, where the server said so.
        """
        asked_for = _pause_asked_for(closed)
        if asked_for is not None:
            return asked_for
        # The exponent is bounded because the power of a long outage would overflow.
        longest = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return self._random.uniform(longest / 2, longest)


def ending(error: ConnectionClosed | InvalidStatus) -> PromptClosed:
    """How a connection ended, or why it did not come about."""
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        return PromptClosed(4000 + status, error.response.reason_phrase)
    if error.rcvd is None:
        return PromptClosed(ABNORMAL, "the connection broke")
    return PromptClosed(error.rcvd.code, error.rcvd.reason)


def is_final(closed: PromptClosed) -> bool:
    """Whether another attempt with the same token would end alike."""
    return closed.code in _FINAL and closed.code not in _PASSING


def _pause_asked_for(closed: PromptClosed | None) -> float | None:
    if closed is None or closed.code != RESTARTING:
        return None
    try:
        seconds = float(closed.reason)
    except ValueError:
        return None
    return seconds if 0 <= seconds <= LONGEST_PAUSE_SECONDS else None
