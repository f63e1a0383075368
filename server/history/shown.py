"""How a version is shown, over REST and in room events alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.appearance import color_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from persistence.labels import Label
    from persistence.versions import Author, Version


def shown_version(version: Version) -> dict[str, object]:
    """Answers what never changes of a version, as JSON values."""
    return {
        "id": version.id,
        "number": version.number,
        "seq": version.seq,
        "parent_ids": [] if version.parent_id is None else [version.parent_id],
        "kind": version.kind.value,
        "message": version.message,
        "author": _person(version.author),
        "co_authors": [_person(each) for each in version.co_authors],
        "created_at": version.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def version_created(version: Version) -> dict[str, object]:
    """Answers the room event that a version was made."""
    return {"type": "version.created", "version": {**shown_version(version), "labels": []}}


def labels_of(version: Version, labels: Iterable[Label]) -> list[str]:
    """Answers the names of the labels that name a version."""
    return [label.name for label in labels if label.version_id == version.id]


def _person(author: Author) -> dict[str, object]:
    return {"id": str(author.id), "name": author.name, "color": color_of(author.id)}
