"""Finds what a path or a body names, inside the caller's organization and nowhere else.

What belongs to another organization is answered exactly as what does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from persistence.errors import NotFound as NotStored
from server.api.identity import Person
from server.api.problems import field_problem
from server.errors import PromptNotFound

if TYPE_CHECKING:
    from persistence.prompts import Prompt
    from server.access import Principal
    from server.services import Services


async def find_prompt(
    services: Services, caller: Principal, prompt_id: UUID, *, include_deleted: bool = False
) -> Prompt:
    """Answers a prompt of the caller's organization. Raises PromptNotFound."""
    try:
        return await services.store.prompts.get(
            prompt_id, organization_id=caller.organization_id, include_deleted=include_deleted
        )
    except NotStored as error:
        raise PromptNotFound from error


async def find_project(services: Services, caller: Principal, project_id: UUID | None) -> UUID:
    """Answers a project of the caller's organization, its first one for None. Raises RequestInvalid."""
    if project_id is None:
        first = await services.store.projects.list(caller.organization_id, limit=1)
        if not first.items:
            raise field_problem("body.project_id", "is missing, and the organization has no project yet")
        return first.items[0].id
    try:
        project = await services.store.projects.get(project_id, organization_id=caller.organization_id)
    except NotStored as error:
        raise field_problem("body.project_id", "is not a project of yours") from error
    return project.id


async def people(services: Services, user_ids: Iterable[UUID]) -> dict[UUID, Person]:
    """Answers users by id; each is asked for once."""
    found = {}
    for user_id in set(user_ids):
        user = await services.store.accounts.get_user(user_id)
        found[user_id] = Person(id=user.id, name=user.name)
    return found
