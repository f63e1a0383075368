"""How labels may be called, and the one decision who may change which.

Every path that changes a label asks `check_label_change`, under the prompt's row lock: REST, the editor, the command
line, and whatever comes later.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from server.access import Action, may, require
from server.errors import LabelProtected

if TYPE_CHECKING:
    from persistence.labels import Label
    from server.access import Principal

MAX_LABEL_LENGTH: Final = 64
# Each is a branch of the prompt's Git repository (git-check-ref-format), also where files of one name in two cases
# are one file.
_NAME: Final = re.compile(rf"[a-z0-9](?:[a-z0-9_-]|\.(?!\.|$|lock$)){{0,{MAX_LABEL_LENGTH - 1}}}")
_LOOKS_LIKE_AN_ID: Final = re.compile(r"[0-9a-f]{7,}")
# What names something else: `main` is the branch of the latest version.
RESERVED: Final = frozenset({"head", "latest", "live", "main"})


def is_label_name(name: str) -> bool:
    """Answers whether a label can be called this."""
    return bool(_NAME.fullmatch(name)) and name not in RESERVED and not _LOOKS_LIKE_AN_ID.fullmatch(name)


def check_label_change(principal: Principal, label: Label | None, *, is_protected: bool | None = None) -> None:
    """Raises Forbidden or LabelProtected unless a principal may create, move or delete a label.

    Arguments: `label` as it is now, None where it is new; `is_protected` is the protection it should have, None where
    that stays.
    """
    require(principal, Action.EDIT)
    now = label is not None and label.is_protected
    changes_protection = is_protected is not None and is_protected != now
    if may(principal, Action.MANAGE_PROTECTED_LABELS):
        return
    if now:
        raise LabelProtected(f"This label is protected: changing it needs the role owner; yours is {principal.role}.")
    if changes_protection:
        raise LabelProtected(f"Protecting a label needs the role owner; yours is {principal.role}.")
