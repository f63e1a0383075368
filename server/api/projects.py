"""Projects: what an organization's prompts are grouped by."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response

from persistence.projects import Project
from server.api import PREFIX
from server.api.context import Creator, Reader, UsesServices
from server.api.fields import Answer, Body, Name
from server.api.idempotency import Idempotency
from server.api.paging import DEFAULT_LIMIT, Cursor, Limit, PageOf
from server.api.responses import answer

router = APIRouter(prefix=f"{PREFIX}/projects", tags=["projects"])


class NewProject(Body):
    """A project to create."""

    name: Name


class ProjectAnswer(Answer):
    """A project."""

    id: UUID
    name: str
    created_at: datetime
    updated_at: datetime


@router.get("")
async def list_projects(
    caller: Reader, services: UsesServices, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> PageOf[ProjectAnswer]:
    """Lists the organization's projects, the oldest first."""
    page = await services.store.projects.list(caller.organization_id, limit=limit, cursor=cursor)
    return PageOf(items=[_answer(project) for project in page.items], next_cursor=page.next_cursor)


@router.post("", status_code=201, response_model=ProjectAnswer)
async def create_project(
    body: NewProject, caller: Creator, services: UsesServices, idempotency: Idempotency
) -> Response:
    """Creates a project."""

    async def create() -> Response:
        project = await services.store.projects.create(caller.organization_id, body.name)
        return answer(_answer(project), status=201)

    return await idempotency.once(caller, create)


def _answer(project: Project) -> ProjectAnswer:
    return ProjectAnswer.model_validate(project)
