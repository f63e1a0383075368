"""Slugs: what a prompt is called in file names and in Git. Given once, kept when the prompt is renamed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

# Leaves room for a suffix below the 255 bytes of a file name, and is still readable in a list.
MAX_LENGTH = 60

_NOT_IN_SLUG = re.compile(r"[^a-z0-9]+")


def slugify(name: str) -> str:
    """Return lower-case ASCII letters and digits joined by hyphens; ``prompt`` if the name has none."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _NOT_IN_SLUG.sub("-", plain)[:MAX_LENGTH].strip("-") or "prompt"


def free_slug(base: str, taken: Collection[str]) -> str:
    """Return ``base``, or ``base-2``, ``base-3``, … whichever is the first not taken."""
    if base not in taken:
        return base
    number = 2
    while f"{base}-{number}" in taken:
        number += 1
    return f"{base}-{number}"
