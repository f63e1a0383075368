"""Prompts: created with their first text, listed, renamed, moved, deleted and restored."""

from __future__ import annotations

import asyncio
from datetime import datetime
from random import SystemRandom
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from crdt.document import initial_state, new_client_id
from persistence.prompts import Prompt
from server.access import Principal, Role
from server.api import PREFIX
from server.api.context import Creator, Deleter, Editor, Reader, UsesServices
from server.api.fields import Answer, Body, Content, Name, Search
from server.api.idempotency import Idempotency
from server.api.identity import Person
from server.api.lookup import find_project, find_prompt, people
from server.api.paging import DEFAULT_LIMIT, Cursor, Limit, PageOf
from server.api.preconditions import Precondition
from server.api.responses import answer
from server.services import Services

router = APIRouter(prefix=f"{PREFIX}/prompts", tags=["prompts"])


class NewPrompt(Body):
    """A prompt to create."""

    name: Name
    project_id: UUID | None = Field(default=None, description="Default: the organization's first project.")
    content: Content = Field(default="", description="A Dotprompt file; `\\r` is removed.")


class PromptChange(Body):
    """What to change; the rest stays. The text changes by edits."""

    name: Name | None = None
    project_id: UUID | None = None


class PromptAnswer(Answer):
    """A prompt without its text."""

    id: UUID
    name: str
    slug: str
    project_id: UUID
    epoch: int = Field(description="A client that holds another epoch reloads.")
    head_seq: int = Field(description="Sequence number of the last edit.")
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    created_by: Person
    role: Role = Field(description="The caller's.")


@router.get("")
async def list_prompts(
    caller: Reader,
    services: UsesServices,
    q: Annotated[Search | None, Query(description="Part of the name, in any case.")] = None,
    project: Annotated[UUID | None, Query(description="Only this project's.")] = None,
    *,
    deleted: Annotated[bool, Query(description="The deleted ones instead.")] = False,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> PageOf[PromptAnswer]:
    """Lists the organization's prompts, the newest first."""
    page = await services.store.prompts.list(
        caller.organization_id, q=q, project_id=project, limit=limit, cursor=cursor, deleted=deleted
    )
    creators = await people(services, (prompt.created_by for prompt in page.items))
    items = [_shown(prompt, creators[prompt.created_by], caller) for prompt in page.items]
    return PageOf(items=items, next_cursor=page.next_cursor)


@router.post("", status_code=201, response_model=PromptAnswer)
async def create_prompt(body: NewPrompt, caller: Creator, services: UsesServices, idempotency: Idempotency) -> Response:
    """Creates a prompt with its first text."""

    async def create() -> Response:
        project_id = await find_project(services, caller, body.project_id)
        client_id = new_client_id(SystemRandom())
        # Half a second for the largest text: the engine keeps the GIL, but the loop may breathe around it.
        state = await asyncio.to_thread(initial_state, body.content, client_id)
        prompt = await services.store.prompts.create(
            organization_id=caller.organization_id,
            project_id=project_id,
            name=body.name,
            state=state,
            client_id=client_id,
            user_id=caller.user_id,
        )
        return await _answer(services, prompt, caller, status=201)

    return await idempotency.once(caller, create)


@router.get("/{prompt_id}", response_model=PromptAnswer)
async def get_prompt(prompt_id: UUID, caller: Reader, services: UsesServices) -> Response:
    """Answers a prompt, with its ETag."""
    return await _answer(services, await find_prompt(services, caller, prompt_id), caller)


@router.patch("/{prompt_id}", response_model=PromptAnswer)
async def change_prompt(
    prompt_id: UUID, body: PromptChange, caller: Editor, services: UsesServices, precondition: Precondition
) -> Response:
    """Renames a prompt, or moves it to another project; whoever has it open sees the new name."""
    prompt = await find_prompt(services, caller, prompt_id)
    expected = precondition.expected(prompt.version)
    project_id = await find_project(services, caller, body.project_id) if body.project_id is not None else None
    changed = await services.store.prompts.update(
        prompt_id, name=body.name, project_id=project_id, expected_version=expected
    )
    services.hub.publish(
        prompt_id, {"type": "prompt.updated", "name": changed.name, "project_id": str(changed.project_id)}
    )
    return await _answer(services, changed, caller)


@router.delete("/{prompt_id}", status_code=204)
async def delete_prompt(prompt_id: UUID, caller: Deleter, services: UsesServices, precondition: Precondition) -> None:
    """Deletes a prompt, which can be restored; everybody who has it open is told and leaves."""
    prompt = await find_prompt(services, caller, prompt_id)
    await services.store.prompts.delete(prompt_id, expected_version=precondition.expected(prompt.version))
    services.hub.publish(prompt_id, {"type": "prompt.deleted"})
    await services.hub.prompt_deleted(prompt_id)


@router.post("/{prompt_id}/restore", response_model=PromptAnswer)
async def restore_prompt(prompt_id: UUID, caller: Deleter, services: UsesServices) -> Response:
    """Brings a deleted prompt back as it was; one that is not deleted stays as it is."""
    await find_prompt(services, caller, prompt_id, include_deleted=True)
    return await _answer(services, await services.store.prompts.restore(prompt_id), caller)


async def _answer(services: Services, prompt: Prompt, caller: Principal, *, status: int = 200) -> Response:
    creators = await people(services, [prompt.created_by])
    location = f"{PREFIX}/prompts/{prompt.id}" if status == 201 else None  # noqa: PLR2004 - 201 Created
    shown = _shown(prompt, creators[prompt.created_by], caller)
    return answer(shown, status=status, version=prompt.version, location=location)


def _shown(prompt: Prompt, created_by: Person, caller: Principal) -> PromptAnswer:
    return PromptAnswer(
        id=prompt.id,
        name=prompt.name,
        slug=prompt.slug,
        project_id=prompt.project_id,
        epoch=prompt.epoch,
        head_seq=prompt.head_seq,
        created_at=prompt.created_at,
        updated_at=prompt.updated_at,
        deleted_at=prompt.deleted_at,
        created_by=created_by,
        role=caller.role,
    )
