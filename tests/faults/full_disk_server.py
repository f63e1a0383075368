"""Runs the server with a disk that is full whenever the file named by DISK_IS_FULL exists.

SQLite itself says so: its file may not get another page. Nothing in the server is changed.
"""

import os
import sqlite3
from pathlib import Path
from typing import Any

from server import cli

VARIABLE = "DISK_IS_FULL"

_MOST_PAGES = 4_294_967_294
_connect = sqlite3.connect


class _Watching(sqlite3.Connection):
    """Looks before every statement whether there is still space."""

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:  # noqa: ANN401 - as in its parent
        self._follow_disk()
        return super().execute(sql, parameters)

    def cursor(self, factory: Any = sqlite3.Cursor) -> Any:  # noqa: ANN401 - as in its parent
        self._follow_disk()
        return super().cursor(factory)

    def _follow_disk(self) -> None:
        # A limit below the present size is taken for the present size.
        pages = 1 if Path(os.environ[VARIABLE]).exists() else _MOST_PAGES
        super().execute(f"PRAGMA max_page_count = {pages}").close()


def _connect_on_small_disk(*args: Any, factory: type = sqlite3.Connection, **kwargs: Any) -> sqlite3.Connection:  # noqa: ANN401
    """Connect as `sqlite3.connect` does, with the same kind of connection that also watches the disk."""
    watching = type("OnSmallDisk", (_Watching, factory), {})
    return _connect(*args, factory=watching, **kwargs)


def main() -> None:
    """Run the server on such a disk."""
    sqlite3.connect = _connect_on_small_disk  # type: ignore[assignment]
    cli.main()


if __name__ == "__main__":
    main()
