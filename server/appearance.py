"""How people appear to each other: the name, the role and the colour beside a cursor."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from uuid import UUID

    from crdt.awareness import Json
    from server.access import Principal

# Dark enough for white text on the flag and clear on both themes (WCAG contrast of at least 4.5:1 against white).
_COLORS: Final = (
    "#b4232a",
    "#a8410a",
    "#8a5a00",
    "#4f6f00",
    "#1a7a3a",
    "#00756b",
    "#006f93",
    "#1f62c4",
    "#5a4fd0",
    "#8a3fc0",
    "#ad2f8e",
    "#b72561",
)
_LIGHT_ALPHA: Final = "33"


def color_of(user_id: UUID) -> str:
    """Answers the colour of a user, as `#rrggbb`: the same wherever they appear, because it follows from the id."""
    return _COLORS[hashlib.sha256(user_id.bytes).digest()[0] % len(_COLORS)]


def identity(principal: Principal) -> dict[str, Json]:
    """Answers what everybody sees of a principal: the id, the name, the role and a colour that follows from the id."""
    color = color_of(principal.user_id)
    return {
        "id": str(principal.user_id),
        "name": principal.name,
        "role": principal.role.value,
        "color": color,
        "colorLight": color + _LIGHT_ALPHA,
    }
