"""Versions of a prompt: made, listed, read by any ref, and brought back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Path, Response
from pydantic import Field, StringConstraints

from persistence.prompts import Prompt
from persistence.versions import Version
from server.access import Principal
from server.api import PREFIX
from server.api.context import Editor, Reader, UsesServices
from server.api.fields import Answer, Body, Paragraphs
from server.api.idempotency import Idempotency
from server.api.identity import Person
from server.api.live import EditAnswer
from server.api.lookup import find_prompt
from server.api.paging import DEFAULT_LIMIT, Cursor, Limit, PageOf
from server.api.responses import answer
from server.errors import VersionNotFound
from server.history.hunks import count_changed_lines
from server.history.making import make_live_version
from server.history.refs import LIVE, find_version, is_version_id, resolve, text_of
from server.history.restoring import restore
from server.history.shown import labels_of, shown_version, version_created
from server.limits import MAX_REF_LENGTH, MAX_VERSION_MESSAGE_LENGTH
from server.services import Services

router = APIRouter(prefix=f"{PREFIX}/prompts/{{prompt_id}}/versions", tags=["history"])

Ref = Annotated[
    str,
    Path(
        max_length=MAX_REF_LENGTH,
        description="A version's id, a beginning of it (7 digits or more), a label, `latest` or `live`.",
        examples=["latest"],
    ),
]
VersionId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$"), Field(examples=["0" * 40])]
Message = Annotated[Paragraphs, StringConstraints(min_length=1, max_length=MAX_VERSION_MESSAGE_LENGTH)]
# What an id names never changes, neither for the caller nor for anybody else who may read it.
_FOR_EVER: Final = "private, immutable, max-age=31536000"
_ASK_AGAIN: Final = "private, max-age=0, must-revalidate"
# The lines of most texts are compared in microseconds; the same few in another order take 3 ms for 1,000 characters.
_WEIGHT_OF_A_CHARACTER: Final = 64


class NewVersion(Body):
    """A version of the live text."""

    message: Message
    expected_head: VersionId | None = Field(
        default=None, description="The latest version, as the caller knows it. Where it is another one: 409."
    )


class Revert(Body):
    """How to bring a version back."""

    message: Message | None = Field(
        default=None, description="Makes a version of the result, with this message. Default: none is made."
    )


class VersionFacts(Answer):
    """What never changes of a version, which is a Git commit."""

    id: str = Field(description="Of the commit, as `git log` shows it.")
    number: int = Field(description="1 for the prompt's first version.")
    seq: int = Field(description="The journal entry whose text it holds.")
    parent_ids: list[str]
    kind: Literal["manual", "automatic"]
    message: str
    author: Person
    co_authors: list[Person] = Field(description="Everybody else who wrote since the version before.")
    created_at: datetime


class VersionAnswer(VersionFacts):
    """A version without its text."""

    labels: list[str]


class VersionStats(Answer):
    """How large a version is, and what it changed."""

    characters: int = Field(description="Unicode code points.")
    lines: int
    additions: int = Field(description="Lines that are not in the version before.")
    deletions: int


class VersionContentAnswer(VersionFacts):
    """A version with its text; its labels, which come and go, are in the list and in `labels`."""

    content: str
    stats: VersionStats


class RevertAnswer(EditAnswer):
    """Where the prompt stands after a version was brought back; `version` was made of it where a message came."""

    version: VersionAnswer | None


@router.get("")
async def list_versions(
    prompt_id: UUID, caller: Reader, services: UsesServices, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> PageOf[VersionAnswer]:
    """Lists the versions of a prompt, the newest first."""
    await find_prompt(services, caller, prompt_id)
    page = await services.store.versions.list(prompt_id, limit=limit, cursor=cursor)
    labels = await services.store.labels.list(prompt_id)
    items = [_shown(version, labels_of(version, labels)) for version in page.items]
    return PageOf(items=items, next_cursor=page.next_cursor)


@router.post("", status_code=201, response_model=VersionAnswer, responses={200: {"model": VersionAnswer}})
async def create_version(
    prompt_id: UUID, body: NewVersion, caller: Editor, services: UsesServices, idempotency: Idempotency
) -> Response:
    """Makes a version of the live text. Where the latest version holds that text already, it answers that one."""

    async def create() -> Response:
        prompt = await find_prompt(services, caller, prompt_id)
        version, is_new = await _make(services, caller, prompt, body.message, expected_head=body.expected_head)
        shown = await _with_labels(services, prompt_id, version)
        location = f"{PREFIX}/prompts/{prompt_id}/versions/{version.id}"
        return answer(shown, status=201 if is_new else 200, location=location)

    return await idempotency.once(caller, create)


@router.get(
    "/{ref}",
    response_model=VersionContentAnswer,
    responses={304: {"description": "It is still the version of the ETag that If-None-Match names."}},
)
async def get_version(
    prompt_id: UUID,
    ref: Ref,
    caller: Reader,
    services: UsesServices,
    if_none_match: Annotated[str | None, Header(max_length=1_000)] = None,
) -> Response:
    """Answers a version with its text. By id it can be kept for ever; by anything else, as long as its ETag holds."""
    await find_prompt(services, caller, prompt_id)
    if ref == LIVE:
        message = "The live text is no version: read it at /live, or make a version of it."
        raise VersionNotFound(message)
    version = await find_version(services.store, prompt_id, ref)
    tag = f'"{version.id}"'
    # A browser may have several people one after another.
    headers = {"ETag": tag, "Cache-Control": _FOR_EVER if is_version_id(ref) else _ASK_AGAIN, "Vary": "Authorization"}
    if if_none_match is not None and _names(if_none_match, tag):
        return Response(status_code=304, headers=headers)
    response = answer(await _with_content(services, prompt_id, version))
    response.headers.update(headers)
    return response


@router.post("/{ref}/revert", response_model=RevertAnswer)
async def revert_to_version(
    prompt_id: UUID, ref: Ref, body: Revert, caller: Editor, services: UsesServices, idempotency: Idempotency
) -> Response:
    """Brings a version back: one edit of the caller that touches only what differs, beside everybody who is typing."""

    async def revert() -> Response:
        prompt = await find_prompt(services, caller, prompt_id)
        wanted = await resolve(services.store, services.hub, prompt, ref)
        client_id = idempotency.client_id(caller)
        result = await restore(services.hub, caller, prompt, wanted.text, client_id=client_id)
        shown = None
        if body.message is not None:
            version, _ = await _make(services, caller, prompt, body.message)
            shown = await _with_labels(services, prompt_id, version)
        return answer(RevertAnswer(head_seq=result.seq, content=result.text, version=shown))

    return await idempotency.once(caller, revert)


async def _make(
    services: Services, caller: Principal, prompt: Prompt, message: str, *, expected_head: str | None = None
) -> tuple[Version, bool]:
    """Makes a version, and tells everybody in the room."""
    version, is_new = await make_live_version(
        services.store,
        services.hub,
        prompt,
        author_id=caller.user_id,
        message=message,
        at=services.clock(),
        expected_head=expected_head,
    )
    if is_new:
        services.hub.publish(prompt.id, version_created(version))
    return version, is_new


async def _with_labels(services: Services, prompt_id: UUID, version: Version) -> VersionAnswer:
    return _shown(version, labels_of(version, await services.store.labels.list(prompt_id)))


async def _with_content(services: Services, prompt_id: UUID, version: Version) -> VersionContentAnswer:
    text = await text_of(services.store, prompt_id, version)
    before = ""
    if version.parent_id is not None:
        parent = await services.store.versions.get(prompt_id, version.parent_id)
        before = await text_of(services.store, prompt_id, parent)
    weight = _WEIGHT_OF_A_CHARACTER * (len(before) + len(text))
    additions, deletions = await services.history_workers.run(weight, count_changed_lines, before, text)
    lines = text.count("\n") + (not text.endswith("\n") and text != "")
    stats = VersionStats(characters=len(text), lines=lines, additions=additions, deletions=deletions)
    return VersionContentAnswer(**shown_version(version), content=text, stats=stats)


def _shown(version: Version, labels: list[str]) -> VersionAnswer:
    return VersionAnswer(**shown_version(version), labels=labels)


def _names(if_none_match: str, tag: str) -> bool:
    """Weak comparison, as RFC 9110 §13.1.2 asks for."""
    return any(each.strip().removeprefix("W/") in {"*", tag} for each in if_none_match.split(","))
