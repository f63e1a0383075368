"""The past of a prompt: its text at any point, who wrote each part of it, and when who worked on it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from persistence.edits import EditKind
from persistence.pages import CursorInvalid
from server.api import PREFIX
from server.api.context import Reader, UsesServices
from server.api.fields import Answer
from server.api.identity import Person
from server.api.lookup import find_prompt, people
from server.api.paging import DEFAULT_LIMIT, Cursor, Limit, PageOf
from server.api.preconditions import etag
from server.api.responses import answer
from server.errors import NotFound
from server.history.blame import passages
from server.history.refs import LIVE, find_version

if TYPE_CHECKING:
    from persistence.prompts import Prompt
    from server.services import Services

router = APIRouter(prefix=f"{PREFIX}/prompts", tags=["history"])

# What was written is never written anew.
_FOR_EVER: Final = "private, immutable, max-age=31536000"
_AT: Final = "at:"
_LONGEST_SEQ: Final = 15

Seq = Annotated[int, Path(ge=1, lt=2**53, description="A seq of the prompt's journal.")]


class PointAnswer(Answer):
    """A prompt as it stood after one edit."""

    seq: int
    content: str
    created_at: datetime = Field(description="When the edit was stored.")
    user: Person = Field(description="Who made the edit.")
    kind: EditKind = Field(description="How it came.")


class PassageAnswer(Answer):
    """What one person wrote in one go."""

    start: int = Field(description="In UTF-16 code units of the text.")
    end: int
    user: Person
    kind: EditKind = Field(description="How it came.")
    seq: int = Field(description="The last edit that brought some of it.")
    created_at: datetime = Field(description="When that edit was stored.")


class BlameAnswer(Answer):
    """Who wrote each part of a text: its passages, in order and without gaps."""

    ref: str
    seq: int = Field(description="The point of the journal whose text it is.")
    spans: list[PassageAnswer]


class SessionAnswer(Answer):
    """A time in which people edited without a pause of more than ten minutes."""

    from_seq: int
    to_seq: int
    started_at: datetime
    ended_at: datetime
    users: list[Person]
    kinds: list[EditKind]
    inserted: int = Field(description="About how many UTF-16 code units.")
    deleted: int = Field(description="About how many UTF-16 code units.")


@router.get("/{prompt_id}/at/{seq}", response_model=PointAnswer)
async def get_point(prompt_id: UUID, seq: Seq, caller: Reader, services: UsesServices) -> Response:
    """Answers the text as it stood after one edit, which may be kept for ever."""
    prompt = await find_prompt(services, caller, prompt_id)
    _check_seq(prompt, seq)
    content = await services.hub.past.text(prompt_id, seq)
    byline = (await services.store.journal.bylines(prompt_id, [seq]))[seq]
    users = await people(services, [byline.user_id])
    body = PointAnswer(
        seq=seq, content=content, created_at=byline.created_at, user=users[byline.user_id], kind=byline.kind
    )
    # A browser may have several people one after another.
    headers = {"ETag": etag(seq), "Cache-Control": _FOR_EVER, "Vary": "Authorization"}
    return Response(body.model_dump_json(), headers=headers, media_type="application/json")


@router.get("/{prompt_id}/blame", response_model=BlameAnswer)
async def get_blame(
    prompt_id: UUID,
    caller: Reader,
    services: UsesServices,
    ref: Annotated[
        str,
        Query(max_length=100, description="`live`, `at:SEQ`, or a version by id, beginning of its id, or label."),
    ] = LIVE,
) -> Response:
    """Answers who wrote each part of a text, when, and how it came."""
    prompt = await find_prompt(services, caller, prompt_id)
    seq = await _seq_of(services, prompt, ref)
    spans = await services.hub.past.spans(prompt_id, seq)
    found = passages(spans, await services.store.journal.bylines(prompt_id, (span.seq for span in spans)))
    users = await people(services, (passage.user_id for passage in found))
    body = BlameAnswer(
        ref=ref,
        seq=seq,
        spans=[
            PassageAnswer(
                start=passage.start,
                end=passage.end,
                user=users[passage.user_id],
                kind=passage.kind,
                seq=passage.seq,
                created_at=passage.created_at,
            )
            for passage in found
        ],
    )
    # Thousands of spans: written once, and not looked through a second time on the way out.
    return answer(body)


@router.get("/{prompt_id}/timeline")
async def get_timeline(
    prompt_id: UUID, caller: Reader, services: UsesServices, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> PageOf[SessionAnswer]:
    """Lists when who worked on a prompt, the newest first."""
    prompt = await find_prompt(services, caller, prompt_id)
    until = prompt.head_seq if cursor is None else _place(cursor, prompt)
    sessions, next_until = await services.hub.past.sessions(prompt_id, until=until, limit=limit)
    users = await people(services, (user_id for session in sessions for user_id in session.user_ids))
    items = [
        SessionAnswer(
            from_seq=session.from_seq,
            to_seq=session.to_seq,
            started_at=session.started_at,
            ended_at=session.ended_at,
            users=[users[user_id] for user_id in session.user_ids],
            kinds=list(session.kinds),
            inserted=session.inserted,
            deleted=session.deleted,
        )
        for session in sessions
    ]
    return PageOf(items=items, next_cursor=None if next_until is None else str(next_until))


async def _seq_of(services: Services, prompt: Prompt, ref: str) -> int:
    if ref == LIVE:
        return prompt.head_seq
    if not ref.startswith(_AT):
        return (await find_version(services.store, prompt.id, ref)).seq
    seq = _number(ref.removeprefix(_AT))
    _check_seq(prompt, seq)
    return seq


def _check_seq(prompt: Prompt, seq: int) -> None:
    if not 1 <= seq <= prompt.head_seq:
        message = f"The prompt's journal goes from 1 to {prompt.head_seq}."
        raise NotFound(message, code="seq_not_found", details={"head_seq": prompt.head_seq})


def _place(cursor: str, prompt: Prompt) -> int:
    until = _number(cursor)
    if not 1 <= until <= prompt.head_seq:
        raise CursorInvalid("the cursor is not one that this list gave out")
    return until


def _number(digits: str) -> int:
    """Answers a number that no seq is where these are no digits of one."""
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST_SEQ else 0
