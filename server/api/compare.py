"""Any two states of a prompt side by side."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Response

from server.api import PREFIX
from server.api.comparison import ComparedAnswer, ComparisonAnswer, comparison_json
from server.api.context import Reader, UsesServices
from server.api.lookup import find_prompt
from server.errors import TooLarge
from server.history.refs import Resolved, is_version_id, resolve
from server.limits import MAX_COMPARED_LENGTH, MAX_REF_LENGTH

router = APIRouter(prefix=f"{PREFIX}/prompts", tags=["history"])

_ComparedRef = Annotated[
    str,
    Path(
        max_length=MAX_REF_LENGTH,
        description="A version's id, a beginning of it (7 digits or more), a label, `latest` or `live`.",
        examples=["live"],
    ),
]
# Two texts without a line in common take a millisecond for 100 characters; merging takes as long for 256 KiB. So all
# but the smallest prompts are compared beside the event loop.
_WEIGHT_OF_A_CHARACTER: Final = 256
_FOR_EVER: Final = "private, immutable, max-age=31536000"
_ASK_AGAIN: Final = "private, max-age=0, must-revalidate"


@router.get("/{prompt_id}/compare/{a}...{b}", response_model=ComparisonAnswer)
async def compare_refs(
    prompt_id: UUID, a: _ComparedRef, b: _ComparedRef, caller: Reader, services: UsesServices
) -> Response:
    """Answers what leads from one state of a prompt to another: lines, words, variables, configuration, tokens."""
    prompt = await find_prompt(services, caller, prompt_id)
    before = await resolve(services.store, services.hub, prompt, a)
    after = await resolve(services.store, services.hub, prompt, b)
    length = len(before.text) + len(after.text)
    if length > MAX_COMPARED_LENGTH:
        message = f"The two texts have {length} characters; at most {MAX_COMPARED_LENGTH} are compared."
        raise TooLarge(message)
    body = await services.history_workers.run(
        _WEIGHT_OF_A_CHARACTER * length,
        comparison_json,
        before.text,
        after.text,
        f"{prompt.slug}.prompt",
        _compared(before),
        _compared(after),
    )
    lasts = is_version_id(a) and is_version_id(b)
    headers = {"Cache-Control": _FOR_EVER if lasts else _ASK_AGAIN, "Vary": "Authorization"}
    return Response(body, media_type="application/json", headers=headers)


def _compared(resolved: Resolved) -> ComparedAnswer:
    version_id = resolved.version.id if resolved.version is not None else None
    return ComparedAnswer(ref=resolved.ref, version_id=version_id, seq=resolved.seq)
