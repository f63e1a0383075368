"""Where the database is: one URL, read once, never shown with its password."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NoReturn

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from persistence.errors import DatabaseUrlInvalid

_EXPECTED = "sqlite+aiosqlite:///path/to/file.db or postgresql+asyncpg://user:password@host:5432/name"
_SQLITE = {"sqlite", "sqlite+aiosqlite"}
_POSTGRESQL = {"postgres", "postgresql", "postgresql+asyncpg"}
# What asyncpg reads out of an address; anything else it would hand to the server as a setting of the session.
_PARAMETERS = {
    *("host", "port", "user", "password", "passfile", "dbname", "database", "application_name"),
    *("ssl", "sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslpassword"),
    *("ssl_min_protocol_version", "ssl_max_protocol_version", "target_session_attrs"),
    *("krbsrvname", "gsslib", "service", "servicefile"),
}


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """A database URL, understood.

    Args:
        kind: which database it is.
        path: the file, absolute; SQLite only.
        dsn: the address as libpq and asyncpg write it, password included; PostgreSQL only.
        shown: the address for people and logs, without the password.
    """

    kind: Literal["sqlite", "postgresql"]
    shown: str
    path: Path = field(default=Path())
    dsn: str = field(default="", repr=False)

    @classmethod
    def parse(cls, database_url: str) -> DatabaseAddress:
        """Read ``DATABASE_URL``; ``postgres://`` and bare driver names are accepted.

        Raises:
            DatabaseUrlInvalid: the URL names no file or server, or another kind of database.
        """
        try:
            url = make_url(database_url)
        except (ArgumentError, ValueError):
            # The value is not repeated: what cannot be parsed may hold a password anywhere.
            _refuse("cannot be read as a URL")
        if url.drivername in _SQLITE:
            return cls._sqlite(url)
        if url.drivername not in _POSTGRESQL:
            _refuse(f"names the driver {url.drivername!r}")
        return cls._postgresql(url)

    @classmethod
    def _sqlite(cls, url: URL) -> DatabaseAddress:
        if url.host or url.query:
            _refuse("has a host or parameters, and an SQLite file takes neither")
        if not url.database or url.database == ":memory:":
            _refuse("names no file, and a database in memory would keep nothing")
        path = Path(url.database).expanduser().absolute()
        return cls(kind="sqlite", path=path, shown=str(path))

    @classmethod
    def _postgresql(cls, url: URL) -> DatabaseAddress:
        if not url.database:
            _refuse("names no database")
        if unknown := sorted(set(url.query) - _PARAMETERS):
            _refuse(f"has the parameter {unknown[0]!r}, which is none of {', '.join(sorted(_PARAMETERS))}")
        url = url.set(drivername="postgresql")
        # SQLAlchemy's own spelling of the parameter; libpq and asyncpg call it sslmode.
        if "ssl" in url.query:
            url = url.set(query={**url.query, "sslmode": url.query["ssl"]}).difference_update_query(["ssl"])
        return cls(
            kind="postgresql",
            dsn=url.render_as_string(hide_password=False),
            shown=url.set(query={}).render_as_string(hide_password=True),
        )


def _refuse(why: str) -> NoReturn:
    raise DatabaseUrlInvalid(f"the database URL {why}; expected {_EXPECTED}")
