"""`promptroom import`: a directory of `.prompt` files as the prompts of a project."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from random import SystemRandom
from typing import TYPE_CHECKING, Final
from uuid import UUID

from crdt.document import initial_state, new_client_id
from crdt.errors import CrdtError
from crdt.offsets import utf16_length
from persistence.slugs import slugify
from server.credentials import Refused
from server.export import projects_named, prompts_of
from server.limits import MAX_CONTENT_LENGTH, MAX_NAME_LENGTH

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from persistence.projects import Project
    from persistence.store import Store

_SUFFIX: Final = ".prompt"


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import: the project, and the names of its new prompts."""

    project: Project
    names: tuple[str, ...]


async def import_files(store: Store, directory: Path, *, project: str) -> Imported:
    """Creates a prompt of every `.prompt` file in a directory, named as the file; directories in it stay unread.

    Everything is read before anything is created. Arguments: `project` is the name or the id of one in the first
    organization; where there is none of that name, it is made. Raises Refused and NotFound.
    """
    texts = await asyncio.to_thread(_read_all, directory)
    home = await store.bootstrap()
    found = await project_for(store, project, texts)
    for name, text in texts.items():
        client_id = new_client_id(SystemRandom())
        await store.prompts.create(
            organization_id=found.organization_id,
            project_id=found.id,
            name=name,
            state=await asyncio.to_thread(initial_state, text, client_id),
            client_id=client_id,
            user_id=home.owner.id,
        )
    return Imported(found, tuple(texts))


async def project_for(store: Store, wanted: str, names: Collection[str]) -> Project:
    """Answers the project that new prompts go into, which is made if need be.

    Raises Refused where it has a prompt that one of the names would be taken for, and NotFound where an id is nobody's.
    """
    with suppress(ValueError):
        return await _without(store, await store.projects.get(UUID(wanted)), names)
    if not 0 < len(wanted) <= MAX_NAME_LENGTH:
        raise Refused(f"a project's name has 1 to {MAX_NAME_LENGTH} characters: give one by --project")
    organization = (await store.bootstrap()).organization
    named: Sequence[Project] = await projects_named(store, organization.id, wanted)
    if len(named) > 1:
        ids = ", ".join(str(project.id) for project in named)
        raise Refused(f"{organization.name} has several projects {wanted!r}: give the id of one by --project ({ids})")
    if named:
        return await _without(store, named[0], names)
    return await store.projects.create(organization.id, wanted)


async def _without(store: Store, project: Project, names: Collection[str]) -> Project:
    slugs = {slugify(name): name for name in names}
    async for prompt in prompts_of(store, project):
        if prompt.slug in slugs:
            advice = "rename one of them, or give another --project"
            raise Refused(f"{project.name} has a prompt {prompt.slug} already ({prompt.name}): {advice}")
    return project


def _read_all(directory: Path) -> dict[str, str]:
    try:
        paths = sorted(path for path in directory.iterdir() if path.suffix == _SUFFIX and path.is_file())
    except OSError as error:
        raise Refused(f"{directory} cannot be read: {error.strerror}") from error
    if not paths:
        raise Refused(f"{directory} has no {_SUFFIX} files")
    return {path.stem: _read(path) for path in paths}


def _read(path: Path) -> str:
    if len(path.stem) > MAX_NAME_LENGTH:
        raise Refused(f"{path} has a name of more than {MAX_NAME_LENGTH} characters: rename it")
    try:
        text = path.read_bytes().decode()
        length = utf16_length(text)
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Refused(f"{path} is not UTF-8: byte {error.start} is {error.object[error.start]:#04x}") from error
    except CrdtError as error:
        raise Refused(f"{path} cannot be taken in: {error}") from error
    if length > MAX_CONTENT_LENGTH:
        raise Refused(f"{path} has {length} characters; a prompt that is created has at most {MAX_CONTENT_LENGTH}")
    return text
