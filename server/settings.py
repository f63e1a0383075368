"""The settings of a server, read once from the environment. Nothing else in the project reads the environment.

A malformed setting stops the start with one line: its name, what it is, what it should be. Values that can hold a
secret (database and Redis URLs, the signing key) are described by their shape and never repeated.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

from server.signing_key import KEY_FILE, MIN_KEY_BYTES, KeyFileUnusable, load_or_create_key

if TYPE_CHECKING:
    from collections.abc import Mapping

DATABASE_SCHEMES: Final = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}
# By scheme: whatever else could stand in the URL would change how the bus speaks to Redis.
_REDIS_OPTIONS: Final = {
    "redis": {"db"},
    "rediss": {"db", "ssl_ca_certs", "ssl_cert_reqs", "ssl_certfile", "ssl_check_hostname", "ssl_keyfile"},
    "unix": {"db", "password", "username"},
}
LOG_LEVELS: Final = ("debug", "info", "warning", "error")
LOG_FORMATS: Final = ("console", "json")
_MAX_PORT: Final = 65_535
_HTTP_PORT: Final = 80
_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9.:_-]+", re.ASCII)


class SettingError(ValueError):
    """One setting is malformed. Its text is one line for the terminal.

    Arguments: `name` of the environment variable, `what` it is now, and what it `should` be.
    """

    code = "setting_invalid"

    def __init__(self, name: str, what: str, should: str) -> None:
        super().__init__(f"{name} {what}; it should be {should}")
        self.name = name
        self.what = what
        self.should = should


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server is started with. Durations are in seconds.

    `allowed_origins` are exact origins in lower case; empty means: the host that was asked for. `database_url` carries
    the driver that is used. `jwt_secret` is kept out of the representation.
    """

    host: str
    port: int
    database_url: str = field(repr=False)
    redis_url: str | None = field(repr=False)
    jwt_secret: bytes = field(repr=False)
    allowed_origins: frozenset[str]
    log_level: str
    log_format: str
    state_directory: Path
    drain_deadline: float
    idle_unload: float
    version_after_quiet: float
    public_url: str

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str] | None = None, *, host: str | None = None, port: int | None = None
    ) -> Settings:
        """Reads the settings.

        Arguments: `environment` is a mapping of variables, the process's own where it is None; `host` and `port` come
        from the command line and win over HOST and PORT. On a loopback host the signing key is created in the state
        directory where none is given.

        Raises SettingError for the first malformed setting.
        """
        values = _Values(os.environ if environment is None else environment)
        host = _host(host if host is not None else values.get("HOST", "127.0.0.1"))
        port = _port(str(port) if port is not None else values.get("PORT", "8000"))
        state_directory = Path(values.get("STATE_DIRECTORY", "var"))
        database_url = _database_url(values.get("DATABASE_URL", f"sqlite+aiosqlite:///{state_directory}/promptroom.db"))
        public = values.get("PUBLIC_URL", "")
        return cls(
            host=host,
            port=port,
            database_url=database_url,
            redis_url=_redis_url(values.get("REDIS_URL", ""), database_url),
            allowed_origins=_allowed_origins(values.get("ALLOWED_ORIGINS", ""), public, host, port),
            log_level=_one_of("LOG_LEVEL", values.get("LOG_LEVEL", "info").lower(), LOG_LEVELS),
            log_format=_one_of("LOG_FORMAT", values.get("LOG_FORMAT", "console").lower(), LOG_FORMATS),
            state_directory=state_directory,
            drain_deadline=_seconds("DRAIN_DEADLINE_SECONDS", values.get("DRAIN_DEADLINE_SECONDS", "10"), 0, 300),
            idle_unload=_seconds("IDLE_UNLOAD_SECONDS", values.get("IDLE_UNLOAD_SECONDS", "60"), 0, 86_400),
            version_after_quiet=_seconds(
                "VERSION_AFTER_QUIET_SECONDS", values.get("VERSION_AFTER_QUIET_SECONDS", "300"), 0, 86_400
            ),
            public_url=_public_url(public, host, port),
            jwt_secret=_jwt_secret(values.get("JWT_SECRET_KEY", ""), host, state_directory),
        )

    @property
    def is_sqlite(self) -> bool:
        """Whether the embedded database is used."""
        return self.database_url.startswith("sqlite")

    def sign_in_url(self, ticket: str) -> str:
        """Answers the link that signs in with a ticket. The fragment is never sent to a server, nor to a log."""
        return f"{self.public_url}/signin#ticket={ticket}"

    def listening_on(self, port: int) -> Settings:
        """Answers the settings with the port that the system chose, where PORT was 0."""
        if port == self.port:
            return self
        own = _own_origins(self.host, self.port)
        origins = _own_origins(self.host, port) if self.allowed_origins == own else self.allowed_origins
        at_default = self.public_url == _default_url(self.host, self.port)
        url = _default_url(self.host, port) if at_default else self.public_url
        return replace(self, port=port, allowed_origins=origins, public_url=url)


class _Values:
    """Variables, where an empty one counts as unset, as shells and compose files write them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def get(self, name: str, default: str) -> str:
        return self._environment.get(name, "").strip() or default


def is_loopback(host: str) -> bool:
    """Answers whether only this machine can reach a server that listens on the host."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host(value: str) -> str:
    if not _HOST.fullmatch(value):
        raise SettingError("HOST", f"is {value!r}", "a host name or an address, such as 127.0.0.1 or 0.0.0.0")
    return value


def _port(value: str) -> int:
    if not (value.isascii() and value.isdecimal() and int(value) <= _MAX_PORT):
        raise SettingError("PORT", f"is {value[:40]!r}", "a whole number from 0 to 65535 (0: any free port)")
    return int(value)


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise SettingError(name, f"is {value[:40]!r}", f"one of {', '.join(allowed)}")
    return value


def _seconds(name: str, value: str, low: float, high: float) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    if not low <= seconds <= high:
        raise SettingError(name, f"is {value[:40]!r}", f"a number of seconds from {low:g} to {high:g}")
    return seconds


def _database_url(value: str) -> str:
    scheme, separator, rest = value.partition("://")
    should = "sqlite+aiosqlite:///path/to/file.db or postgresql+asyncpg://user:password@host/database"
    if not separator:
        raise SettingError("DATABASE_URL", f"is {len(value)} characters without '://'", should)
    if scheme not in DATABASE_SCHEMES:
        raise SettingError("DATABASE_URL", f"has the scheme {scheme[:40]!r}", should)
    driver = DATABASE_SCHEMES[scheme]
    if driver.startswith("sqlite"):
        if not rest.startswith("/") or len(rest) == 1:
            raise SettingError("DATABASE_URL", "is an SQLite URL without a file", should)
        if rest.partition("?")[0] in {"/:memory:", "/file::memory:"}:
            raise SettingError("DATABASE_URL", "is an SQLite database in memory", "a file, which survives a restart")
    elif not _has_host_and_database(value):
        what = "is a PostgreSQL URL without a host or a database, or with a port that is not a number"
        raise SettingError("DATABASE_URL", what, should)
    return f"{driver}://{rest}"


def _has_host_and_database(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is not a number
    except ValueError:
        return False
    # A socket directory is named in the query: ?host=/run/postgresql.
    return bool((parts.hostname or "host=" in parts.query) and parts.path.strip("/"))


def _redis_url(value: str, database_url: str) -> str | None:
    if not value:
        return None
    should = "redis://user:password@host:6379/0, the same with rediss://, or unix:///path/to/socket"
    scheme, separator, _ = value.partition("://")
    if not separator:
        raise SettingError("REDIS_URL", f"is {len(value)} characters without '://'", should)
    if scheme not in _REDIS_OPTIONS:
        raise SettingError("REDIS_URL", f"has the scheme {scheme[:40]!r}", should)
    if not _names_a_redis(value):
        raise SettingError("REDIS_URL", "has no host, no path, or a port or database that is not a number", should)
    unknown = sorted({name for name, _ in parse_qsl(urlsplit(value).query)} - _REDIS_OPTIONS[scheme])
    if unknown:
        known = ", ".join(sorted(_REDIS_OPTIONS[scheme]))
        raise SettingError("REDIS_URL", f"has the option {unknown[0][:40]!r}", f"a URL with no options but {known}")
    if database_url.startswith("sqlite"):
        what = "is set while DATABASE_URL is SQLite, which only one server can use"
        raise SettingError("REDIS_URL", what, "unset, or come with a PostgreSQL DATABASE_URL")
    return value


def _names_a_redis(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is not a number
    except ValueError:
        return False
    numbers = [number for name, number in parse_qsl(parts.query, keep_blank_values=True) if name == "db"]
    if parts.scheme != "unix":
        numbers.append(parts.path.removeprefix("/") or "0")
    is_there = parts.path.strip("/") if parts.scheme == "unix" else parts.hostname
    return bool(is_there) and all(number.isascii() and number.isdecimal() for number in numbers)


def _default_url(host: str, port: int) -> str:
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def _public_url(value: str, host: str, port: int) -> str:
    if not value:
        return _default_url(host, port)
    url = value.rstrip("/")
    if not _ORIGIN.fullmatch(url.lower()):
        should = "the address people open, without a path, such as https://prompts.example.com"
        raise SettingError("PUBLIC_URL", f"is {value[:80]!r}", should)
    return url


def _own_origins(host: str, port: int) -> frozenset[str]:
    if not is_loopback(host):
        return frozenset()
    suffix = "" if port == _HTTP_PORT else f":{port}"
    return frozenset(f"http://{name}{suffix}" for name in ("127.0.0.1", "localhost", "[::1]"))


def _allowed_origins(value: str, public_url: str, host: str, port: int) -> frozenset[str]:
    origins = {part.rstrip("/").lower() for part in value.replace(",", " ").split()}
    for origin in sorted(origins):
        if not _ORIGIN.fullmatch(origin):
            should = "exact origins with commas between, such as https://prompts.example.com (no path, no *)"
            raise SettingError("ALLOWED_ORIGINS", f"holds {origin[:80]!r}", should)
    public = {public_url.rstrip("/").lower()} if public_url else set()
    if origins:
        return frozenset(origins | public)
    return _own_origins(host, port) | public


def _jwt_secret(value: str, host: str, state_directory: Path) -> bytes:
    should = f"at least {MIN_KEY_BYTES} random bytes, such as `openssl rand -hex 32` prints"
    if value:
        secret = value.encode()
        if len(secret) < MIN_KEY_BYTES:
            raise SettingError("JWT_SECRET_KEY", f"is {len(secret)} bytes long", should)
        return secret
    if not is_loopback(host):
        raise SettingError("JWT_SECRET_KEY", f"is not set while HOST is {host}, which others can reach", should)
    try:
        return load_or_create_key(state_directory / KEY_FILE)
    except KeyFileUnusable as error:
        raise SettingError("JWT_SECRET_KEY", f"is not set, and {error}", should) from error
