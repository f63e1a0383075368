"""Slows down whoever guesses passwords: so many failures for one account from one address, then a pause.

Kept in memory and bounded: a restart forgives everybody, and so does success.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from server.errors import TooManyAttempts
from server.limits import SIGN_IN_ACCOUNTS_REMEMBERED, SIGN_IN_ATTEMPTS, SIGN_IN_WINDOW_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable


class SignInThrottle:
    """Counts failed sign-ins.

    Arguments: `clock` answers seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures: OrderedDict[tuple[str, str], list[float]] = OrderedDict()

    def check(self, account: str, address: str) -> None:
        """Raises TooManyAttempts while the account has to wait."""
        recent = self._recent(account, address)
        if len(recent) >= SIGN_IN_ATTEMPTS:
            raise TooManyAttempts(retry_after=recent[0] + SIGN_IN_WINDOW_SECONDS - self._clock())

    def failed(self, account: str, address: str) -> None:
        """Remembers a failure; the account that failed longest ago makes room."""
        self._failures[account, address] = [*self._recent(account, address), self._clock()]
        self._failures.move_to_end((account, address))
        if len(self._failures) > SIGN_IN_ACCOUNTS_REMEMBERED:
            self._failures.popitem(last=False)

    def succeeded(self, account: str, address: str) -> None:
        """Forgives."""
        self._failures.pop((account, address), None)

    def _recent(self, account: str, address: str) -> list[float]:
        since = self._clock() - SIGN_IN_WINDOW_SECONDS
        return [at for at in self._failures.get((account, address), []) if at > since]
