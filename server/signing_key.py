"""The signing key that a server on loopback makes for itself, kept in one file with mode 0600."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

KEY_FILE: Final = "jwt_secret_key"
# RFC 7518 §3.2: a key of the size of the hash or larger.
MIN_KEY_BYTES: Final = 32


class KeyFileUnusable(Exception):
    """The key file cannot be read or written, is too short, or others can read it. Its text is one line."""


def load_or_create_key(path: Path) -> bytes:
    """Answers the key in the file, which is created with a fresh one where it does not exist.

    Raises KeyFileUnusable. Two processes that start at once end up with the same key.
    """
    try:
        if not path.exists():
            _create(path)
        return _read(path)
    except OSError as error:
        message = f"{path} cannot be used ({error.strerror or error})"
        raise KeyFileUnusable(message) from error


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(MIN_KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A link appears complete or not at all, and never replaces the key of whoever was faster.
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def _read(path: Path) -> bytes:
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        message = f"{path} can be read by others (mode {mode:04o}): chmod 600 it, or remove it for a new one"
        raise KeyFileUnusable(message)
    key = path.read_bytes().strip()
    if len(key) < MIN_KEY_BYTES:
        message = f"{path} holds {len(key)} bytes"
        raise KeyFileUnusable(message)
    return key
