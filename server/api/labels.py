"""Labels of a prompt: names for versions, moved by compare-and-set, some of them protected."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import AfterValidator, Field, StringConstraints

from persistence.labels import Expected, Label
from server.api import PREFIX
from server.api.context import Editor, Reader, UsesServices
from server.api.fields import Answer, Body, Paragraphs
from server.api.identity import Person
from server.api.lookup import find_prompt, people
from server.api.paging import DEFAULT_LIMIT, Cursor, Limit, PageOf
from server.api.problems import field_problem
from server.api.responses import answer
from server.api.versions import VersionId
from server.errors import LabelNotFound
from server.history.label_rules import MAX_LABEL_LENGTH, RESERVED, is_label_name
from server.history.labelling import Wish, change_label, delete_label
from server.history.refs import LIVE
from server.limits import MAX_LABEL_REASON_LENGTH, MAX_REF_LENGTH

router = APIRouter(prefix=f"{PREFIX}/prompts/{{prompt_id}}/labels", tags=["history"])


def _label_name(name: str) -> str:
    if not is_label_name(name):
        reserved = ", ".join(sorted(RESERVED))
        raise ValueError(
            "is not a name for a label: lower-case letters, digits, '-', '_' and single dots, beginning with a letter "
            f"or digit; not {reserved}, and not seven or more digits of an id"
        )
    return name


LabelName = Annotated[str, Path(max_length=MAX_LABEL_LENGTH, examples=["production"]), AfterValidator(_label_name)]
Reason = Annotated[Paragraphs, StringConstraints(max_length=MAX_LABEL_REASON_LENGTH)]


class LabelChange(Body):
    """What a label should be; what is left out stays."""

    version: Annotated[str, StringConstraints(min_length=1, max_length=MAX_REF_LENGTH)] | None = Field(
        default=None, description="What it should name: any ref but `live`. A new label needs one.", examples=["latest"]
    )
    expected: VersionId | None = Field(
        default=None,
        description="The id of the version it names now, as the caller knows it; null: there is none. Where that is "
        "not so: 409. Default: whatever it names.",
    )
    reason: Reason = Field(default="", description="Why; kept in its history.")
    protected: bool | None = Field(default=None, description="Whether only owners may change it. Owners decide.")


class LabelAnswer(Answer):
    """A name for a version."""

    name: str
    version_id: str
    is_protected: bool
    updated_at: datetime
    updated_by: Person


class LabelMoveAnswer(Answer):
    """One change of a label."""

    number: int
    from_id: str | None = Field(description="The version it named before; null where it was new.")
    to_id: str | None = Field(description="The version it names since; null where it was deleted.")
    is_protected: bool = Field(description="Since then.")
    user: Person
    reason: str
    created_at: datetime


@router.get("")
async def list_labels(prompt_id: UUID, caller: Reader, services: UsesServices) -> PageOf[LabelAnswer]:
    """Lists all labels of a prompt, by name; there is one page."""
    await find_prompt(services, caller, prompt_id)
    labels = await services.store.labels.list(prompt_id)
    known = await people(services, (label.updated_by for label in labels))
    return PageOf(items=[_shown(label, known[label.updated_by]) for label in labels], next_cursor=None)


@router.put("/{name}", response_model=LabelAnswer, responses={201: {"model": LabelAnswer}})
async def put_label(
    prompt_id: UUID, name: LabelName, body: LabelChange, caller: Editor, services: UsesServices
) -> Response:
    """Creates, moves or protects a label; whoever is in the prompt hears of it."""
    await find_prompt(services, caller, prompt_id)
    if body.version == LIVE:
        raise field_problem("body.version", "is the live text, which is no version: make one of it first")
    expected = Expected(body.expected) if "expected" in body.model_fields_set else None
    wish = Wish(body.version, body.protected, body.reason, expected)
    outcome = await change_label(services.store, services.hub, caller, prompt_id, name, wish)
    known = await people(services, [outcome.label.updated_by])
    shown = _shown(outcome.label, known[outcome.label.updated_by])
    return answer(shown, status=201 if outcome.previous is None else 200)


@router.delete("/{name}", status_code=204)
async def remove_label(
    prompt_id: UUID,
    name: LabelName,
    caller: Editor,
    services: UsesServices,
    expected: Annotated[VersionId | None, Query(description="The version it names, as the caller knows it.")] = None,
    reason: Annotated[Reason, Query(description="Why; kept in its history.")] = "",
) -> None:
    """Deletes a label; its version and its history stay."""
    await find_prompt(services, caller, prompt_id)
    believed = Expected(expected) if expected is not None else None
    await delete_label(services.store, services.hub, caller, prompt_id, name, reason=reason, expected=believed)


@router.get("/{name}/history")
async def list_label_moves(
    prompt_id: UUID,
    name: LabelName,
    caller: Reader,
    services: UsesServices,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> PageOf[LabelMoveAnswer]:
    """Lists every change of a label, the newest first; of one that was deleted, too."""
    await find_prompt(services, caller, prompt_id)
    page = await services.store.labels.history(prompt_id, name, limit=limit, cursor=cursor)
    if not page.items and cursor is None:
        raise LabelNotFound(f"The prompt never had a label {name}.")
    known = await people(services, (move.user_id for move in page.items))
    items = [
        LabelMoveAnswer(
            number=move.number,
            from_id=move.from_id,
            to_id=move.to_id,
            is_protected=move.is_protected,
            user=known[move.user_id],
            reason=move.reason,
            created_at=move.created_at,
        )
        for move in page.items
    ]
    return PageOf(items=items, next_cursor=page.next_cursor)


def _shown(label: Label, updated_by: Person) -> LabelAnswer:
    return LabelAnswer(
        name=label.name,
        version_id=label.version_id,
        is_protected=label.is_protected,
        updated_at=label.updated_at,
        updated_by=updated_by,
    )
