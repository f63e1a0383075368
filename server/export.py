"""`promptroom export`: the prompts of a project as files, one for each, named as in Git."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from crdt.document import Document
from crdt.errors import CrdtError
from persistence.pages import MAX_LIMIT
from server.credentials import Refused
from server.errors import RefAmbiguous, VersionNotFound
from server.history.refs import resolve
from server.live_state import LiveState
from server.rebuild import read_stored, rebuild

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from persistence.projects import Project
    from persistence.prompts import Prompt
    from persistence.store import Store


@dataclass(frozen=True, slots=True)
class Exported:
    """What came of an export: the files that were written, and the names of prompts that have no such version."""

    written: tuple[Path, ...]
    left_out: tuple[str, ...]


async def export_project(store: Store, project: str, directory: Path, *, ref: str) -> Exported:
    """Writes every prompt of a project into a directory, which is made if need be; files of the same name are replaced.

    Arguments: `project` is an id, or a name in the first organization; `ref` says which text of each prompt. Raises
    Refused.
    """
    found = await find_project(store, project)
    written, left_out = [], []
    async for prompt in prompts_of(store, found):
        try:
            text = (await resolve(store, _StoredTexts(store), prompt, ref)).text
        except VersionNotFound:
            left_out.append(prompt.name)
            continue
        except RefAmbiguous as error:
            raise Refused(f"{prompt.name}: several versions begin with {ref}: give more digits") from error
        path = directory / f"{prompt.slug}.prompt"
        try:
            await asyncio.to_thread(_write, path, text)
        except OSError as error:
            raise Refused(f"{path} cannot be written: {error.strerror}") from error
        written.append(path)
    return Exported(tuple(written), tuple(left_out))


class _StoredTexts:
    """The texts of prompts as the journal has them: a command has no rooms."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def live(self, prompt_id: UUID, *, at_least: int = 0) -> LiveState:
        """Answers a prompt as it is stored now; nothing is asked of rooms, so `at_least` is always reached."""
        del at_least
        prompt = await self._store.prompts.get(prompt_id)
        stored = await read_stored(self._store, prompt_id)
        try:
            state = await asyncio.to_thread(rebuild, stored.checkpoint, stored.updates)
            text = Document(state.state).text
        except CrdtError as error:
            raise Refused(f"{prompt.name} cannot be read ({error.code}): run promptroom fsck") from error
        return LiveState(text, stored.head_seq, prompt.epoch, ())


async def find_project(store: Store, wanted: str) -> Project:
    """Answers the project of an id, or of a name in the first organization. Raises Refused and NotFound."""
    with suppress(ValueError):
        return await store.projects.get(UUID(wanted))
    organization = (await store.bootstrap()).organization
    named = await projects_named(store, organization.id, wanted)
    if not named:
        raise Refused(f"{organization.name} has no project {wanted!r}: give its name or its id")
    if len(named) > 1:
        ids = ", ".join(str(project.id) for project in named)
        raise Refused(f"{organization.name} has several projects {wanted!r}: give the id of one ({ids})")
    return named[0]


async def projects_named(store: Store, organization_id: UUID, name: str) -> list[Project]:
    """Answers the projects of an organization that have a name."""
    named, cursor = [], None
    while True:
        page = await store.projects.list(organization_id, limit=MAX_LIMIT, cursor=cursor)
        named += [project for project in page.items if project.name == name]
        cursor = page.next_cursor
        if cursor is None:
            return named


async def prompts_of(store: Store, project: Project) -> AsyncIterator[Prompt]:
    """Yields every prompt of a project, the newest first."""
    cursor = None
    while True:
        page = await store.prompts.list(project.organization_id, project_id=project.id, limit=MAX_LIMIT, cursor=cursor)
        for prompt in page.items:
            yield prompt
        cursor = page.next_cursor
        if cursor is None:
            return


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # As it is: line ends are not translated.
    path.write_bytes(text.encode())
