"""What the HTTP edge works with, put together once when the server starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from server.auth import Authenticator, Passwords
from server.settings import Settings
from server.workers import Workers

if TYPE_CHECKING:
    from persistence.store import Store
    from server.hub import Hub


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one server.

    Arguments: `clock` answers seconds since the epoch; `history_workers` compare texts and pack versions, so that rooms
    do not wait for that.
    """

    settings: Settings
    store: Store
    hub: Hub
    authenticator: Authenticator
    passwords: Passwords
    clock: Callable[[], float]
    history_workers: Workers = field(default_factory=Workers)
