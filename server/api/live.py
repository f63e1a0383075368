"""The live text of a prompt, and edits of it by programs."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from server.access import Role
from server.api import PREFIX
from server.api.context import Editor, Reader, UsesServices
from server.api.fields import Answer, Body
from server.api.idempotency import Idempotency
from server.api.lookup import find_prompt
from server.api.placement import RequestedEdit, place_edits
from server.api.responses import answer
from server.limits import MAX_EDITS_PER_REQUEST

router = APIRouter(prefix=f"{PREFIX}/prompts", tags=["prompts"])


class ParticipantAnswer(Answer):
    """Somebody who has the prompt open."""

    user_id: UUID
    name: str
    role: Role
    connections: int


class LiveAnswer(Answer):
    """A prompt as it stands now."""

    content: str
    head_seq: int
    epoch: int
    participants: list[ParticipantAnswer]


class Edits(Body):
    """Edits of one text, made as one; they must not overlap."""

    edits: Annotated[list[RequestedEdit], Field(min_length=1, max_length=MAX_EDITS_PER_REQUEST)]
    base_seq: Annotated[int, Field(ge=0, lt=2**53)] | None = Field(
        default=None,
        description="`head_seq` of the text that is meant. Where the prompt has moved on: 409. Offsets should come "
        "with it; `find` says by itself whether it still fits.",
    )


class EditAnswer(Answer):
    """Where the prompt stands after the edit, which is stored."""

    head_seq: int
    content: str


@router.get("/{prompt_id}/live")
async def get_live(prompt_id: UUID, caller: Reader, services: UsesServices) -> LiveAnswer:
    """Answers the text as it stands now, and who has it open."""
    prompt = await find_prompt(services, caller, prompt_id)
    live = await services.hub.live(prompt_id, at_least=prompt.head_seq)
    return LiveAnswer(
        content=live.text,
        head_seq=live.head_seq,
        epoch=live.epoch,
        participants=[ParticipantAnswer.model_validate(participant) for participant in live.participants],
    )


@router.post("/{prompt_id}/edits", response_model=EditAnswer)
async def edit_prompt(
    prompt_id: UUID, body: Edits, caller: Editor, services: UsesServices, idempotency: Idempotency
) -> Response:
    """Edits the text as the caller, beside everybody who is typing. It is stored and shown when this answers."""

    async def edit() -> Response:
        prompt = await find_prompt(services, caller, prompt_id)
        result = await services.hub.edit(
            prompt_id,
            caller,
            lambda text: place_edits(text, body.edits),
            base_seq=body.base_seq,
            at_least=prompt.head_seq,
            client_id=idempotency.client_id(caller),
        )
        return answer(EditAnswer(head_seq=result.seq, content=result.text))

    return await idempotency.once(caller, edit)
