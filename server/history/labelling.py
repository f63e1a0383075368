"""Changing labels: the rules, the compare-and-set, and who hears of it. Every path goes through here."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from persistence import errors as store_errors
from persistence.labels import Expected, LabelChange, LabelOutcome
from server.errors import LabelLimit, LabelMoved, LabelNotFound
from server.history.label_rules import check_label_change
from server.history.refs import find_version

if TYPE_CHECKING:
    from collections.abc import Generator
    from uuid import UUID

    from persistence.labels import Label
    from persistence.store import Store
    from server.access import Principal


class Publisher(Protocol):
    """Who tells everybody in a prompt: the hub."""

    def publish(self, prompt_id: UUID, event: dict[str, object]) -> None:
        """Sends a room event to everybody who is in the prompt."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of a label.

    Arguments: `ref` is the version it should name, None to leave it where it is; `is_protected` likewise; `expected` is
    where they believe it to be, None where they do not mind.
    """

    ref: str | None = None
    is_protected: bool | None = None
    reason: str = ""
    expected: Expected | None = None


async def change_label(
    store: Store, hub: Publisher, principal: Principal, prompt_id: UUID, name: str, wish: Wish
) -> LabelOutcome:
    """Creates, moves or protects a label.

    Raises Forbidden, LabelProtected, LabelMoved, LabelNotFound, LabelLimit, VersionNotFound and RefAmbiguous.
    """
    # Before anything is looked up: whoever may not change any label learns nothing about this one.
    check_label_change(principal, None)
    version_id = (await find_version(store, prompt_id, wish.ref)).id if wish.ref is not None else None
    change = LabelChange(principal.user_id, version_id, wish.is_protected, wish.reason, wish.expected)
    permit = partial(check_label_change, principal, is_protected=wish.is_protected)
    with _refusals(name):
        outcome = await store.labels.change(prompt_id, name, change, permit=permit)
    if outcome.label != outcome.previous:
        _tell(hub, prompt_id, principal, name, before=outcome.previous, after=outcome.label)
    return outcome


async def delete_label(
    store: Store,
    hub: Publisher,
    principal: Principal,
    prompt_id: UUID,
    name: str,
    *,
    reason: str = "",
    expected: Expected | None = None,
) -> None:
    """Deletes a label; its history stays. Raises Forbidden, LabelProtected, LabelMoved and LabelNotFound."""
    permit = partial(check_label_change, principal)
    with _refusals(name):
        deleted = await store.labels.delete(
            prompt_id, name, user_id=principal.user_id, reason=reason, expected=expected, permit=permit
        )
    _tell(hub, prompt_id, principal, name, before=deleted, after=None)


@contextmanager
def _refusals(name: str) -> Generator[None]:
    try:
        yield
    except store_errors.LabelMoved as error:
        where = "has been deleted" if error.version_id is None else f"is at {error.version_id}"
        raise LabelMoved(f"The label {name} {where}.", details={"version_id": error.version_id}) from error
    except store_errors.LabelLimit as error:
        raise LabelLimit from error
    except store_errors.NotFound as error:
        raise LabelNotFound(f"The prompt has no label {name}.") from error


def _tell(
    hub: Publisher, prompt_id: UUID, principal: Principal, name: str, *, before: Label | None, after: Label | None
) -> None:
    event: dict[str, object] = {
        "type": "label.moved",
        "name": name,
        "version_id": after.version_id if after is not None else None,
        "previous_id": before.version_id if before is not None else None,
        "is_protected": after is not None and after.is_protected,
        "user_id": str(principal.user_id),
    }
    hub.publish(prompt_id, event)
