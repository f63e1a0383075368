"""Many keys in one statement."""

from __future__ import annotations

from typing import Final
from uuid import UUID

# One statement asks for at most so many; a power of two, see `padded`.
MOST_AT_ONCE: Final = 256


def padded(keys: list[UUID]) -> list[UUID]:
    """Return the keys with the last one repeated: a statement is prepared for each length, so there are few lengths."""
    return keys + keys[-1:] * ((1 << (len(keys) - 1).bit_length()) - len(keys))
