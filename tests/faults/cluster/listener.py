"""A port of this machine that is kept for life, whether anybody answers there or not."""

import asyncio
import socket
from collections.abc import Callable

_BACKLOG = 512


class Listener:
    """Accepts connections on a port while it is open, and refuses them while it is not.

    Args:
        on_connection: Given each accepted socket.
    """

    def __init__(self, on_connection: Callable[[socket.socket], None]) -> None:
        self._on_connection = on_connection
        # Bound and never listening: nobody else gets the port, and nobody is answered.
        self._reservation = _bound(0)
        self.port: int = self._reservation.getsockname()[1]
        self._listening: socket.socket | None = None

    @property
    def is_open(self) -> bool:
        """Whether it accepts connections."""
        return self._listening is not None

    def open(self) -> None:
        """Accept connections from now on."""
        if self._listening is None:
            self._listening = _bound(self.port)
            self._listening.settimeout(0)
            self._listening.listen(_BACKLOG)
            asyncio.get_running_loop().add_reader(self._listening, self._accept)

    def refuse(self) -> None:
        """Refuse connections from now on."""
        if self._listening is not None:
            asyncio.get_running_loop().remove_reader(self._listening)
            self._listening.close()
            self._listening = None

    def close(self) -> None:
        """Give the port back."""
        self.refuse()
        self._reservation.close()

    def _accept(self) -> None:
        while self._listening is not None:
            try:
                accepted, _ = self._listening.accept()
            except BlockingIOError:
                return
            except ConnectionError:
                # Somebody who went away while waiting for us.
                continue
            accepted.settimeout(0)
            self._on_connection(accepted)


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind(("127.0.0.1", port))
    return bound
