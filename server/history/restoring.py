"""Bringing a text back: as few edits as lead to it from what is there, so that what others do meanwhile survives."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from crdt.diff import minimal_edits
from persistence.edits import EditKind
from server.history.refs import LivePrompts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from crdt.diff import TextEdit
    from persistence.prompts import Prompt
    from server.access import Principal
    from server.editing import EditResult


class EditedPrompts(LivePrompts, Protocol):
    """Who makes attributed edits in live prompts: the hub."""

    async def edit(
        self,
        prompt_id: UUID,
        principal: Principal,
        make_edits: Callable[[str], Sequence[TextEdit]],
        *,
        kind: EditKind,
        at_least: int = 0,
        client_id: int | None = None,
    ) -> EditResult:
        """Makes one attributed edit."""


async def restore(
    hub: EditedPrompts, principal: Principal, prompt: Prompt, text: str, *, client_id: int | None = None
) -> EditResult:
    """Makes the live text of a prompt the given one, as one edit of the principal.

    Arguments: `client_id` is the one the edit is made under, so that it is not made twice. Raises what `hub.edit` does.
    """
    live = await hub.live(prompt.id, at_least=prompt.head_seq)
    # Large texts take a tenth of a second, for which the loop does not stand still unless somebody types meanwhile.
    prepared = await asyncio.to_thread(minimal_edits, live.text, text)

    def edits(present: str) -> Sequence[TextEdit]:
        return prepared if present == live.text else minimal_edits(present, text)

    return await hub.edit(
        prompt.id, principal, edits, kind=EditKind.RESTORED, at_least=prompt.head_seq, client_id=client_id
    )
