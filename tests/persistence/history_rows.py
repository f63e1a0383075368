"""Versions to store, whose ids are made up: the store never looks into a commit."""

from datetime import UTC, datetime
from uuid import UUID

from persistence.versions import Author, NewVersion, Version, VersionKind
from tests.persistence.conftest import Home

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def made_id(number: int, beginning: str = "") -> str:
    """Return an id of forty digits."""
    return beginning + f"{number:x}".rjust(40 - len(beginning), "0")


def new_version(
    author_id: UUID, *, text: str = "Hello", version_id: str = "", parent: Version | None = None, seq: int = 1
) -> NewVersion:
    """Return a version after another one; the id follows from the text where none is given."""
    content = text.encode()
    digits = content.hex()[:30].rjust(40, "0")
    return NewVersion(
        id=version_id or f"b{digits[1:]}",
        seq=seq,
        blob_id=digits,
        parent_id=parent.id if parent is not None else None,
        path="greeting.prompt",
        kind=VersionKind.MANUAL,
        message=f"With {text}",
        author=Author(author_id, "Ada"),
        co_authors=(Author(author_id, "Grace 😀"),),
        created_at=AT,
        data=b"commit " + content,
        content=content,
    )


async def chain(home: Home, prompt_id: UUID, *texts: str) -> list[Version]:
    """Store a version of each text, one after another."""
    made: list[Version] = []
    for text in texts:
        parent = made[-1] if made else None
        version, is_new = await home.store.versions.create(
            prompt_id, new_version(home.owner_id, text=text, parent=parent)
        )
        assert is_new
        made.append(version)
    return made
