"""Secrets that are handed out once and stored only as a hash."""

from __future__ import annotations

import hashlib
import secrets

# 256 bits: cannot be guessed, so a plain hash is as good as a slow one.
_BYTES = 32


def new_secret() -> str:
    """Return a random secret that may stand in a URL."""
    return secrets.token_urlsafe(_BYTES)


def secret_hash(secret: str) -> bytes:
    """Return what is stored in place of the secret."""
    return hashlib.sha256(secret.encode()).digest()
