"""The HTTP edge: `/api/v1`, health, metrics and the editor's files."""

from __future__ import annotations

from typing import Final

# Written out in every router, so that a route's own path is the one that callers know, in logs and metrics too.
PREFIX: Final = "/api/v1"
