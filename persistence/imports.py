"""Prompts that come from elsewhere with their history: stored as a whole or not at all."""

from __future__ import annotations

import asyncio
import uuid
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from persistence.edits import Edit
from persistence.engine import Clock, Database
from persistence.prompts import check_project, choose_slug
from persistence.slugs import slugify
from persistence.tables import blobs, client_ids, journal, label_moves, labels, prompts, versions
from persistence.versions import NewVersion, version_row


@dataclass(frozen=True, slots=True)
class PromptHistory:
    """A prompt to be stored with all that became of it.

    Args:
        name: what people call it.
        edits: its journal, each with its time; the first is the initial document.
        bindings: client id -> the user it belongs to.
        versions: in the order of their chain, each with a seq in the journal.
        labels: name -> the id of a version.
    """

    name: str
    edits: Sequence[tuple[Edit, datetime]]
    bindings: Mapping[int, UUID]
    versions: Sequence[NewVersion]
    labels: Mapping[str, str]


class Imports:
    """Stores prompts with their history.

    Args:
        database: where they go.
        clock: the time written to what is new here.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, history: PromptHistory, *, organization_id: UUID, project_id: UUID, user_id: UUID) -> UUID:
        """Create a prompt with its journal, versions and labels, in one transaction; answer its id.

        Args:
            history: of the prompt; has at least one edit and one version.
            organization_id: the tenant.
            project_id: a project of that tenant.
            user_id: who imports it.

        Raises:
            NotFound: the organization has no such project.
            Conflict: there is no such user.
        """
        now, prompt_id = self._clock(), uuid.uuid4()
        own = {"prompt_id": prompt_id}
        texts = {version.blob_id: version.content for version in history.versions}
        stored = [
            own | {"id": key, "data": await asyncio.to_thread(zlib.compress, text)} for key, text in texts.items()
        ]
        rows = [
            own | {"seq": seq, "user_id": edit.user_id, "kind": edit.kind, "created_at": at, "payload": edit.update}
            for seq, (edit, at) in enumerate(history.edits, start=1)
        ]
        bound = [own | {"client_id": key, "user_id": user, "created_at": now} for key, user in history.bindings.items()]
        chain = [version_row(prompt_id, number, version) for number, version in enumerate(history.versions, start=1)]
        async with self._database.write() as connection:
            await check_project(connection, organization_id, project_id)
            slug = await choose_slug(connection, project_id, slugify(history.name))
            named = {"name": history.name, "folded_name": history.name.casefold(), "slug": slug}
            owned = {"id": prompt_id, "organization_id": organization_id, "project_id": project_id}
            created = {"created_at": now, "updated_at": now, "created_by": user_id}
            numbers = {"epoch": 1, "head_seq": len(rows), "version": 1}
            await connection.execute(prompts.insert().values(**owned, **named, **created, **numbers))
            await connection.execute(journal.insert(), rows)
            await connection.execute(client_ids.insert(), bound)
            await connection.execute(blobs.insert(), stored)
            await connection.execute(versions.insert(), chain)
            for name, version_id in history.labels.items():
                label = own | {"name": name, "is_protected": False}
                await connection.execute(
                    labels.insert().values(**label, version_id=version_id, updated_at=now, updated_by=user_id)
                )
                move = {"number": 1, "to_id": version_id, "user_id": user_id, "reason": "imported", "created_at": now}
                await connection.execute(label_moves.insert().values(**label, **move))
        return prompt_id
