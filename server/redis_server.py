"""How the Redis of a REDIS_URL is reached, and of which servers it consists: one, or the shards of a cluster.

Only the commands of Redis 7.0 are used, in the older of its protocols, which needs no greeting. Where the server has
sharded channels (`SPUBLISH`) they are used; a cluster then carries a channel on the one shard that its name hashes to.
The number of the database selects nothing, for channels belong to no database: it is part of their names.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from redis.asyncio import Connection
from redis.asyncio.connection import AbstractConnection, parse_url
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from server import telemetry

if TYPE_CHECKING:
    from collections.abc import Iterator

_log = telemetry.get_logger(__name__)

# To connect and sign in takes three round trips: enough for a Redis that is a continent away.
CONNECT_SECONDS: Final = 5.0
_RESP2: Final = 2


class LinkLost(Exception):
    """There is no way to a server (any more); the text is the reason, one line without secrets.

    Arguments: `is_refusal` says that the server itself refuses, as it does a wrong password: trying again will hardly
    help, and somebody should read the reason.
    """

    def __init__(self, reason: str, *, is_refusal: bool = False) -> None:
        super().__init__(reason)
        self.is_refusal = is_refusal


_CLOSED: Final = "the handler is closed"


def as_loss(error: BaseException) -> LinkLost:
    """Answers what an error means to a link; one that nobody foresaw is logged."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, LinkLost):
        return error
    if isinstance(error, TimeoutError) and not str(error):
        return LinkLost(f"no answer within {CONNECT_SECONDS:g} s")
    if isinstance(error, RuntimeError) and _CLOSED in str(error):
        # So says uvloop where asyncio raises a ConnectionError: the server hung up before we said anything.
        return LinkLost("Connection closed by server.")
    if isinstance(error, (RedisError, OSError)):
        return LinkLost(
            " ".join(str(error).split()), is_refusal=isinstance(error, (AuthenticationError, ResponseError))
        )
    _log.error("bus_failed", exc_info=error)
    return LinkLost(f"an error of ours: {type(error).__name__}")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server of a cluster listens."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Shard:
    """A server that carries channels, and the hash slots of those. `address` None is the one that the URL names."""

    address: Address | None
    slots: tuple[range, ...]

    @property
    def all_slots(self) -> Iterator[int]:
        """Its slots, one by one."""
        return itertools.chain.from_iterable(self.slots)

    def carries(self, slot: int) -> bool:
        """Answers whether a slot is one of its own."""
        return any(slot in some for some in self.slots)


@dataclass(frozen=True, slots=True)
class Dialect:
    """The commands for channels, and what comes of them."""

    publish: bytes
    subscribe: bytes
    unsubscribe: bytes
    message: bytes
    channels_per_command: int


# Thousands of subscriptions are a few commands, none of which holds up the server.
PLAIN: Final = Dialect(b"PUBLISH", b"SUBSCRIBE", b"UNSUBSCRIBE", b"message", 500)
SHARDED: Final = Dialect(b"SPUBLISH", b"SSUBSCRIBE", b"SUNSUBSCRIBE", b"smessage", 500)
# The channels of one command have to be in one hash slot.
CLUSTER: Final = Dialect(b"SPUBLISH", b"SSUBSCRIBE", b"SUNSUBSCRIBE", b"smessage", 1)


@dataclass(frozen=True, slots=True)
class Layout:
    """The servers, and how they are spoken to."""

    dialect: Dialect
    shards: tuple[Shard, ...]


ALL_SLOTS: Final = range(REDIS_CLUSTER_HASH_SLOTS)


def slot_of(channel: bytes) -> int:
    """Answers the hash slot of a channel."""
    return key_slot(channel)


class RedisServers:
    """Makes connections to the servers of one URL. Raises ValueError for a URL that cannot be read."""

    def __init__(self, url: str) -> None:
        options = cast("dict[str, object]", parse_url(url))
        self._connection_class = cast("type[Connection]", options.pop("connection_class", Connection))
        self.database = int(cast("int", options.pop("db", 0)))
        self._options = {
            **options,
            "protocol": _RESP2,
            "socket_connect_timeout": CONNECT_SECONDS,
            "socket_timeout": CONNECT_SECONDS,
            # Who the client is, Redis would be told in two more commands, which not every server allows.
            "driver_info": None,
        }

    def connection(self, address: Address | None) -> AbstractConnection:
        """Answers a connection that is not yet made, to one server of a cluster or to that of the URL."""
        options = self._options if address is None else {**self._options, "host": address.host, "port": address.port}
        return self._connection_class(**options)  # type: ignore[arg-type]

    async def layout(self, address: Address | None) -> Layout:
        """Asks a server what it is and, if it is one of a cluster, who the others are. Raises LinkLost."""
        connection = self.connection(address)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await connect(connection)
                return await self._ask_layout(connection, address)
        except (RedisError, OSError) as error:
            raise as_loss(error) from error
        finally:
            await connection.disconnect(nowait=True)

    async def _ask_layout(self, connection: AbstractConnection, address: Address | None) -> Layout:
        greeting = await _ask_politely(connection, "HELLO")
        properties = dict(zip(greeting[::2], greeting[1::2], strict=False))
        known = await _ask_politely(connection, "COMMAND", "INFO", "SPUBLISH")
        is_sharded = bool(known) and known[0] is not None
        if not is_sharded or properties.get(b"mode") != b"cluster":
            # What is published without shards reaches every server of a cluster: any one of them will do.
            return Layout(SHARDED if is_sharded else PLAIN, (Shard(address, (ALL_SLOTS,)),))
        await connection.send_command("CLUSTER", "SLOTS")
        return Layout(CLUSTER, _read_shards(await connection.read_response(), address or self._address))

    @property
    def shown(self) -> str:
        """The server of the URL, without what is secret."""
        return str(self._options.get("path") or f"{self._address.host}:{self._address.port}")

    @property
    def _address(self) -> Address:
        return Address(str(self._options.get("host", "localhost")), cast("int", self._options.get("port", 6379)))


async def connect(connection: AbstractConnection) -> asyncio.Transport:
    """Makes a connection and answers its transport. Raises RedisError.

    When it ends, what is still on its way is thrown away, instead of being delivered late.
    """
    await connection.connect()  # type: ignore[no-untyped-call]
    writer = connection._writer  # noqa: SLF001 - the library shows its transport nowhere else
    if writer is None:
        raise LinkLost("Redis closed the connection at once")
    made = writer.get_extra_info("socket")
    if made is not None and made.family != socket.AF_UNIX:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return cast("asyncio.Transport", writer.transport)


async def _ask_politely(connection: AbstractConnection, *command: str) -> list[object]:
    """Answers what the server says, or nothing where it does not know the command or does not allow it."""
    await connection.send_command(*command)
    try:
        answer = await connection.read_response()
    except ResponseError:
        return []
    return answer if isinstance(answer, list) else []


def _read_shards(said: list[list[object]], asked: Address) -> tuple[Shard, ...]:
    """Reads the answer to CLUSTER SLOTS: rows of first slot, last slot, primary, and replicas."""
    slots: dict[Address, list[range]] = {}
    for first, last, (host, port, *_), *_ in cast("list[tuple[int, int, tuple[bytes | None, int]]]", said):
        # A server that does not know its own name leaves it out: it is the one that was asked.
        name = host.decode() if host else ""
        address = Address(name if name not in {"", "?"} else asked.host, port or asked.port)
        slots.setdefault(address, []).append(range(first, last + 1))
    served = sum(len(one) for ranges in slots.values() for one in ranges)
    if served != len(ALL_SLOTS):
        raise LinkLost(f"the cluster serves {served} of {len(ALL_SLOTS)} hash slots", is_refusal=True)
    return tuple(Shard(address, tuple(ranges)) for address, ranges in slots.items())
