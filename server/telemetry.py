"""What the server says about itself: structured logs and Prometheus metrics.

Rules of the log: no token, ticket, cookie, password or query string, whoever writes the line. Every line of every
library passes `redact`, tracebacks included, so a careless `log.info(url)` is harmless.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING, Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics

if TYPE_CHECKING:
    from typing import TextIO

    from structlog.typing import EventDict, Processor, WrappedLogger

REDACTED: Final = "[redacted]"
_SECRET_NAMES: Final = ("token", "ticket", "secret", "password", "authorization", "cookie", "api_key", "jwt")
# A JSON Web Token anywhere in a text, a bearer credential, a query string or fragment behind a path.
_SECRET_TEXT: Final = re.compile(
    r"eyJ[\w-]{4,}\.[\w-]*\.?[\w-]*"
    r"|(?i:bearer)[ .][\w.~+/=-]{8,}"
    r"|(?<=/)([^\s?#'\"]*)[?#][^\s'\"]+"
    r"|(?i:(?:ticket|token|password|secret)=)[^\s&'\"]+"
)
_URL_CREDENTIALS: Final = re.compile(r"(?<=://)[^\s/@'\"]+(?=@)")


def redact_text(text: str) -> str:
    """Answers the text without tokens, query strings and credentials of URLs."""
    return _SECRET_TEXT.sub(lambda match: (match[1] or "") + REDACTED, _URL_CREDENTIALS.sub(REDACTED, text))


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Is the processor that keeps secrets out of every line."""
    for key, value in event.items():
        if any(name in key.lower() for name in _SECRET_NAMES):
            event[key] = REDACTED
        elif isinstance(value, str):
            event[key] = redact_text(value)
        elif value is not None and not isinstance(value, (bool, int, float)):
            event[key] = redact_text(str(value))
    return event


def configure_logging(*, level: str, log_format: str, stream: TextIO | None = None) -> None:
    """Sends structlog's and the standard library's lines through one chain.

    Arguments: `level` such as "info"; `log_format` "console" for people or "json" for machines; `stream` is standard
    error where it is None, so that standard output stays free for what a command prints.
    """
    target = stream if stream is not None else sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=target.isatty())
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared[:3], structlog.stdlib.PositionalArgumentsFormatter(), *shared[3:]],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, renderer],
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
    # These narrate every statement and every connection of theirs below this level.
    for name in ("aiosqlite", "alembic", "asyncio", "httpx2", "httpcore2", "websockets"):
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Answers a logger of this name."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


# --- metrics --------------------------------------------------------------------------------------------------------
# One registry of our own: what stands in it is what docs/operations.md lists.

# When a counter was created says nothing here, and doubles the page.
disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY: Final = CollectorRegistry(auto_describe=True)
ProcessCollector(registry=REGISTRY)

_SHORT = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_BATCH = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)

HTTP_REQUESTS: Final = Counter(
    "promptroom_http_requests", "Requests answered.", ("method", "route", "status"), registry=REGISTRY
)
HTTP_SECONDS: Final = Histogram(
    "promptroom_http_request_seconds", "Time to answer a request.", ("route",), registry=REGISTRY, buckets=_SHORT
)
CONNECTIONS: Final = Gauge("promptroom_connections", "Open WebSocket sessions.", registry=REGISTRY)
ROOMS: Final = Gauge("promptroom_rooms", "Prompts live in this process.", registry=REGISTRY)
CONNECTIONS_OPENED: Final = Counter(
    "promptroom_connections_opened", "WebSocket sessions that joined a room.", registry=REGISTRY
)
CONNECTIONS_CLOSED: Final = Counter(
    "promptroom_connections_closed", "Sessions closed by the server, by close code.", ("code",), registry=REGISTRY
)
FRAMES_REJECTED: Final = Counter(
    "promptroom_frames_rejected", "Malformed or hostile frames, by error code.", ("code",), registry=REGISTRY
)
UPDATES_RECEIVED: Final = Counter("promptroom_updates_received", "Updates accepted from clients.", registry=REGISTRY)
UPDATES_DELIVERED: Final = Counter("promptroom_updates_delivered", "Frames written to sessions.", registry=REGISTRY)
FLUSH_EDITS: Final = Histogram(
    "promptroom_flush_edits", "Edits in one commit of a room.", registry=REGISTRY, buckets=_BATCH
)
COMMIT_SECONDS: Final = Histogram(
    "promptroom_commit_seconds", "From a room's flush to its commit.", registry=REGISTRY, buckets=_SHORT
)
RESYNCS: Final = Counter("promptroom_resyncs", "Slow readers brought up to date by one diff.", registry=REGISTRY)
HELD_BACK: Final = Counter(
    "promptroom_updates_held_back", "Updates that came before what they depend on.", registry=REGISTRY
)
ENGINE_FAILURES: Final = Counter(
    "promptroom_engine_failures", "Documents condemned by an exception of the engine.", registry=REGISTRY
)
STORE_FAILURES: Final = Counter(
    "promptroom_store_failures", "Commits that the database refused or did not answer.", registry=REGISTRY
)
DATABASE_UP: Final = Gauge(
    "promptroom_database_up", "1 while the database answers, looked at every five seconds.", registry=REGISTRY
)
BUS_UP: Final = Gauge(
    "promptroom_bus_up", "1 while messages to and from other nodes pass, and on a lone server.", registry=REGISTRY
)
BUS_PUBLISHED: Final = Counter("promptroom_bus_published", "Messages sent to other nodes.", registry=REGISTRY)
BUS_RECEIVED: Final = Counter("promptroom_bus_received", "Messages received over the bus.", registry=REGISTRY)
BUS_DROPPED: Final = Counter(
    "promptroom_bus_dropped", "Messages that the bus could not send, and dropped.", registry=REGISTRY
)
NODES: Final = Gauge("promptroom_nodes", "Nodes that hear each other, this one included.", registry=REGISTRY)
NODES.set(1)
ENVELOPES_REJECTED: Final = Counter(
    "promptroom_envelopes_rejected", "Messages on a channel of ours that no node of ours has sealed.", registry=REGISTRY
)
CATCH_UPS: Final = Counter(
    "promptroom_catch_ups", "Times a room read from the journal what other nodes had committed.", registry=REGISTRY
)
DIVERGENCES: Final = Counter(
    "promptroom_divergences", "Times two nodes showed different documents at the same seq.", registry=REGISTRY
)
