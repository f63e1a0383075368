"""Who somebody is in an organization, and whether a prompt is there for them: what a request has to know first.

Nothing is remembered: whoever was removed is refused by the next question. What makes it cheap is that those who ask
while the database is being read are answered together by the next read. After a crash a thousand people come back at
once, and they cost a handful of statements.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast
from uuid import UUID

from sqlalchemy import bindparam, null, select, union_all

from persistence.engine import Database
from persistence.errors import StoreError
from persistence.keys import MOST_AT_ONCE, padded
from persistence.records import AnyRow
from persistence.tables import memberships, prompts, users

# The second goes on where the first has lost its server and waits until it knows.
READS_AT_ONCE: Final = 2


@dataclass(frozen=True, slots=True)
class Standing:
    """What a member is shown as, and may do.

    Args:
        name: what others see.
        email: where there is one.
        role: ``owner``, ``editor`` or ``viewer``.
        prompt_epoch: the epoch of the prompt that was asked for; None where the organization has no such prompt.
        prompt_head: the seq of its last journal entry; 0 where there is no such prompt.
    """

    name: str
    email: str | None
    role: str
    prompt_epoch: int | None
    prompt_head: int = 0


@dataclass(frozen=True, slots=True)
class _Question:
    organization_id: UUID
    user_id: UUID
    prompt_id: UUID | None
    answer: asyncio.Future[Standing | None]


_Found = Mapping[tuple[UUID, UUID], AnyRow]

_MEMBERS = (
    select(
        memberships.c.organization_id,
        memberships.c.user_id.label("key"),
        memberships.c.role,
        users.c.name,
        users.c.email,
        null().label("epoch"),
        null().label("head_seq"),
    )
    .join_from(memberships, users)
    .where(
        memberships.c.organization_id.in_(bindparam("organization_ids", expanding=True)),
        memberships.c.user_id.in_(bindparam("user_ids", expanding=True)),
        memberships.c.deleted_at.is_(None),
        users.c.deleted_at.is_(None),
    )
)
_PROMPTS = select(
    prompts.c.organization_id, prompts.c.id, null(), null(), null(), prompts.c.epoch, prompts.c.head_seq
).where(prompts.c.id.in_(bindparam("prompt_ids", expanding=True)), prompts.c.deleted_at.is_(None))
# Keys are random, so that a member's and a prompt's are never the same.
_MEMBERS_AND_PROMPTS = union_all(_MEMBERS, _PROMPTS)


class Standings:
    """Answers standings, many with one statement.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asked: list[_Question] = []
        self._reads: set[asyncio.Task[None]] = set()

    async def of(self, organization_id: UUID, user_id: UUID, prompt_id: UUID | None = None) -> Standing | None:
        """Return the user's standing as it is now, or None if the user is not a member.

        Args:
            organization_id: the tenant.
            user_id: the user.
            prompt_id: a prompt that is looked for in the same organization.

        Raises:
            StoreUnavailable: the database cannot be used now.
        """
        answer: asyncio.Future[Standing | None] = asyncio.get_running_loop().create_future()
        self._asked.append(_Question(organization_id, user_id, prompt_id, answer))
        if len(self._reads) < READS_AT_ONCE:
            self._reads.add(asyncio.create_task(self._answer_all(), name="standings"))
        return await answer

    async def _answer_all(self) -> None:
        try:
            while self._asked:
                # Taken before the read begins: nobody is told what was so before they asked.
                questions, self._asked = self._asked[:MOST_AT_ONCE], self._asked[MOST_AT_ONCE:]
                await _answer(questions, self._read)
        finally:
            # In the same turn as the last look at who has asked: the next one who asks begins a read.
            self._reads.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _read(self, questions: Sequence[_Question]) -> _Found:
        keys = {
            "organization_ids": padded([question.organization_id for question in questions]),
            "user_ids": padded([question.user_id for question in questions]),
        }
        prompt_ids = [question.prompt_id for question in questions if question.prompt_id is not None]
        async with self._database.read() as connection:
            if prompt_ids:
                rows = await connection.execute(_MEMBERS_AND_PROMPTS, keys | {"prompt_ids": padded(prompt_ids)})
            else:
                rows = await connection.execute(_MEMBERS, keys)
            return {(row[0], row[1]): row for row in rows}


async def _answer(questions: Sequence[_Question], read: Callable[[Sequence[_Question]], Awaitable[_Found]]) -> None:
    try:
        found = await read(questions)
    except asyncio.CancelledError:
        for question in questions:
            question.answer.cancel()
        raise
    except Exception as error:  # noqa: BLE001 - it belongs to those who asked
        for question in questions:
            if not question.answer.done():
                question.answer.set_exception(_again(error))
    else:
        for question in questions:
            if not question.answer.done():
                question.answer.set_result(_standing(question, found))


def _standing(question: _Question, found: _Found) -> Standing | None:
    member = found.get((question.organization_id, question.user_id))
    if member is None:
        return None
    prompt = found.get((question.organization_id, question.prompt_id)) if question.prompt_id is not None else None
    if prompt is None:
        return Standing(member.name, member.email, member.role, None)
    return Standing(member.name, member.email, member.role, prompt.epoch, prompt.head_seq)


def _again(error: Exception) -> Exception:
    if not isinstance(error, StoreError):
        return error
    # One instance for each who asked: a traceback belongs to one of them.
    again = type(error)(*error.args)
    again.__cause__ = error.__cause__
    return again
