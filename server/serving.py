"""`promptroom serve`: from settings to a listening server, and from a signal to its end.

The order matters. The port is taken first, so that nothing is touched when another server has it. SQLite is migrated
here, because there is nobody else to do it; PostgreSQL is migrated by `promptroom migrate` before a release. On
SIGTERM or SIGINT the listener closes, the hub commits what is on its way and sends everybody away, and only then are
sockets closed. At the deadline the process ends whatever it waits for, and at a second signal at once: neither costs
anything that anybody saw.
"""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import uvicorn
import uvloop
from rich.console import Console
from rich.text import Text

from persistence.store import OpenMode, Store, migrate
from server import __version__
from server.app import create_app
from server.auth import Authenticator, Passwords
from server.bus import InProcessBus
from server.first_prompt import ensure_first_prompt
from server.http_protocol import HttpProtocol
from server.hub import Hub
from server.limits import MAX_FRAME_BYTES, SIGN_IN_LINK_SECONDS
from server.nodes import Nodes
from server.redis_bus import RedisBus
from server.services import Services
from server.telemetry import configure_logging, get_logger
from server.wire import WireProtocol

if TYPE_CHECKING:
    from types import FrameType

    from persistence.bootstrap import Bootstrap
    from server.settings import Settings

_log = get_logger("server")
# After the drain only answers that are being written are waited for.
_CLOSING_SECONDS: Final = 2
# Commits get this much of the time that a stopping server has; the rest is for goodbyes and for closing.
_SHARE_OF_COMMITS: Final = 0.7
_SHORTEST_END_SECONDS: Final = 1.0
_BACKLOG: Final = 2048
# The thread that commits to SQLite has to get the interpreter's lock back from a busy event loop many times a commit.
# With Python's 5 ms a commit then takes seconds; with this it takes tens of milliseconds, at no cost to an idle server.
_SWITCH_SECONDS: Final = 0.0001


class PortUnavailable(Exception):
    """The server cannot listen where it should. Its text is one line."""


def serve(settings: Settings) -> None:
    """Runs a server until a signal ends it.

    Raises PortUnavailable, and the store's errors where the database cannot be used.
    """
    configure_logging(level=settings.log_level, log_format=settings.log_format)
    sys.setswitchinterval(_SWITCH_SECONDS)
    with _listening_socket(settings.host, settings.port) as listener:
        settings = settings.listening_on(listener.getsockname()[1])
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings, listener))


async def _serve(settings: Settings, listener: socket.socket) -> None:
    if settings.is_sqlite:
        await migrate(settings.database_url)
    store = await Store.open(
        settings.database_url, mode=OpenMode.CLUSTER if settings.redis_url is not None else OpenMode.SERVER
    )
    try:
        home = await store.bootstrap()
        await ensure_first_prompt(store, home)
        link = await _sign_in_link(store, settings, home)
        services = _services(settings, store)
        server = DrainingServer(_uvicorn_config(services), services, lambda: print_banner(settings, link))
        await server.serve(sockets=[listener])
    finally:
        await store.close()
        _log.info("stopped")


def _services(settings: Settings, store: Store) -> Services:
    authenticator = Authenticator(settings.jwt_secret, store, time.time)
    bus = InProcessBus() if settings.redis_url is None else RedisBus(settings.redis_url)
    nodes = Nodes(bus, settings.jwt_secret, time.monotonic)
    return Services(
        settings=settings,
        store=store,
        hub=Hub(
            store,
            authenticator,
            nodes=nodes,
            idle_unload_seconds=settings.idle_unload,
            version_after_quiet_seconds=settings.version_after_quiet,
        ),
        authenticator=authenticator,
        passwords=Passwords(),
        clock=time.time,
    )


async def _sign_in_link(store: Store, settings: Settings, home: Bootstrap) -> str:
    ticket = await store.tickets.issue("sign_in", home.owner.id, home.organization.id, SIGN_IN_LINK_SECONDS)
    return settings.sign_in_url(ticket)


def _listening_socket(host: str, port: int) -> socket.socket:
    """Takes the port. Nothing is accepted before the server is ready."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        # A server that is started again takes the port over from the connections of the one before.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        reason = error.strerror or error
        raise PortUnavailable(f"cannot listen on {host} port {port}: {reason} (see HOST and PORT)") from error
    return listener


def _uvicorn_config(services: Services) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(services),
        http=HttpProtocol,
        ws=WireProtocol,
        ws_max_size=MAX_FRAME_BYTES,
        ws_per_message_deflate=False,
        # Sessions ping by the hub's clock, without a timer for each.
        ws_ping_interval=None,
        lifespan="on",
        log_config=None,
        # Its lines of WebSocket upgrades carry query strings; the request log is ours.
        log_level="warning",
        access_log=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=_CLOSING_SECONDS,
    )


class DrainingServer(uvicorn.Server):
    """Uvicorn's server with our end: the hub is drained before any socket is closed."""

    def __init__(self, config: uvicorn.Config, services: Services, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._services = services
        self._ends_within = max(services.settings.drain_deadline, _SHORTEST_END_SECONDS)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens, and says so."""
        await super().startup(sockets)
        # What was imported and built stays for good: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        settings = self._services.settings
        _log.info("listening", host=settings.host, port=settings.port, version=__version__)
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Takes nobody in any more, drains the hub, and closes what is left."""
        _log.info("draining", rooms=self._services.hub.rooms, connections=self._services.hub.connections)
        for server in self.servers:
            server.close()
        await self._services.hub.drain(_SHARE_OF_COMMITS * self._services.settings.drain_deadline)
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Ends the server at the first signal, and the process at the second."""
        if self.should_exit:
            os._exit(128 + sig)
        self.should_exit = True
        _end_within(self._ends_within)


def _end_within(seconds: float) -> None:
    """Ends the process after so many seconds, if it has not ended by then: a store that hangs can hold anything up."""
    ending = threading.Timer(seconds, _end_now)
    ending.daemon = True
    ending.start()


def _end_now() -> None:
    _log.warning("stopped_at_the_deadline")
    os._exit(0)


def print_banner(settings: Settings, link: str) -> None:
    """Prints where the server is and how to get in, to standard output: the link is a credential, and no log line."""
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    database = "SQLite" if settings.is_sqlite else "PostgreSQL"
    rows = (
        ("Open", settings.public_url, "bold"),
        ("Sign in", link, "bold cyan"),
        ("", "for one use within an hour; `promptroom link` prints another", "dim"),
        ("Database", f"{database}, every edit on disk before it is shown", ""),
        *((("Nodes", "share their edits through Redis", ""),) if settings.redis_url is not None else ()),
        ("Stop", "Ctrl-C", ""),
    )
    console.print()
    console.print(Text.assemble(("  Promptroom", "bold magenta"), (f" {__version__}", "dim")))
    console.print()
    for label, value, style in rows:
        console.print(Text.assemble((f"  {label:<10}", "dim"), (value, style)))
    console.print()
    sys.stdout.flush()
