"""People who may not: with no token, a bad or an expired one, from elsewhere, without the role, or not any more."""

from __future__ import annotations

import time
from collections.abc import Mapping
from uuid import uuid4

import pytest

from crdt.diff import TextEdit
from crdt.document import Document
from crdt.messages import SyncStep2, TokenRenewal, Update
from server.access import Role
from server.auth import Authenticator
from tests.hostile.attacker import EXTENSIONS, Attacker
from tests.hostile.stage import Stage
from tests.support.people import SECRET, Person, beside, invite
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

NOT_AUTHENTICATED = 4401
NOT_ALLOWED = 4403
NO_SUCH_PROMPT = 4404
CONFLICT = 4409
ELSEWHERE = "https://evil.example"


async def ending(attacker: Attacker) -> int | None:
    async with attacker:
        return await attacker.close_code()


async def is_let_in(attacker: Attacker) -> bool:
    async with attacker:
        return await attacker.is_answered()


def with_token(url: str, token: str) -> Mapping[str, Attacker]:
    """Every place in a request where somebody might put a token and where none is read."""
    return {
        "token": Attacker(f"{url}?token={token}"),
        "access_token": Attacker(f"{url}?access_token={token}"),
        "bearer": Attacker(f"{url}?bearer.{token}"),
        "as a ticket": Attacker(f"{url}?ticket={token}"),
        "in a cookie": Attacker(url, headers={"Cookie": f"token={token}; promptroom_refresh={token}"}),
        "by another scheme": Attacker(url, headers={"Authorization": f"Basic {token}"}),
    }


@pytest.mark.parametrize("place", with_token("", ""))
async def test_a_token_counts_only_where_it_belongs(stage: Stage, place: str) -> None:
    prompt = await stage.new_prompt()
    assert await ending(with_token(stage.url(prompt), stage.people.ann.token)[place]) == NOT_AUTHENTICATED
    assert stage.people.ann.token not in stage.server.log


async def test_no_token_and_no_good_token_open_nothing(stage: Stage) -> None:
    url = stage.url(await stage.new_prompt())
    head, body, signature = stage.people.owner.token.split(".")
    unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"  # {"alg":"none","typ":"JWT"}
    for token in (None, "", "x", f"{head}.{body}.", f"{unsigned}.{body}.", f"{head}.{body}.{signature[:-4]}AAAA"):
        assert await ending(Attacker(url, token)) == NOT_AUTHENTICATED
    assert await ending(Attacker(url, subprotocols=(EXTENSIONS, "bearer.x"))) == NOT_AUTHENTICATED


async def test_the_token_of_a_subprotocol_is_not_sent_back(stage: Stage) -> None:
    prompt = await stage.new_prompt()
    asked = Attacker(stage.url(prompt), subprotocols=(EXTENSIONS, f"bearer.{stage.people.ann.token}"))
    async with asked:
        assert await asked.is_answered()
        assert asked.connection.subprotocol == EXTENSIONS


async def test_pages_from_elsewhere_are_refused(stage: Stage) -> None:
    prompt = await stage.new_prompt()
    for origin in (ELSEWHERE, "null", "file://", f"{stage.server.base_url}.evil.example", "http://127.0.0.1:1"):
        attacker = stage.attacker(prompt, stage.people.owner, headers={"Origin": origin})
        assert await ending(attacker) == NOT_ALLOWED
    own = stage.attacker(prompt, stage.people.owner, headers={"Origin": stage.server.base_url})
    assert await is_let_in(own)


async def test_what_is_not_there_and_what_is_somebody_elses_look_alike(stage: Stage) -> None:
    prompt = await stage.new_prompt()
    stranger = await somebody_elsewhere(stage)
    assert await is_let_in(stage.attacker(prompt))
    endings = []
    for attacker in (
        Attacker(stage.url(prompt), stranger),
        Attacker(stage.url(str(uuid4())), stranger),
        Attacker(stage.url("not-an-id"), stranger),
    ):
        async with attacker:
            endings.append((await attacker.close_code(), attacker.connection.close_reason))
    assert endings == [(NO_SUCH_PROMPT, endings[0][1])] * 3


async def test_another_epoch_is_told_to_reload(stage: Stage) -> None:
    url = stage.url(await stage.new_prompt())
    token = stage.people.ann.token
    assert await is_let_in(Attacker(f"{url}?epoch=1", token))
    for epoch in ("2", "0", "", "x"):
        assert await ending(Attacker(f"{url}?epoch={epoch}", token)) == CONFLICT


async def test_a_deleted_prompt_closes_and_stays_closed(stage: Stage) -> None:
    prompt = await stage.new_prompt()
    async with stage.attacker(prompt) as attacker:
        assert await attacker.is_answered()
        await stage.ask("DELETE", f"/api/v1/prompts/{prompt}")
        assert await attacker.close_code() == NO_SUCH_PROMPT
    assert await ending(stage.attacker(prompt)) == NO_SUCH_PROMPT


async def test_a_viewer_changes_nothing(stage: Stage) -> None:
    async with stage.scene() as scene, stage.attacker(scene.prompt, stage.people.vera) as viewer:
        assert await viewer.is_answered()
        text, stored = await scene.agree(), await scene.stored()
        for update in edits_of(text_of(viewer)):
            await viewer.send(Update(update))
            await viewer.send(SyncStep2(update))
        assert await viewer.is_answered()
        assert (await scene.agree(), await scene.stored()) == (text, stored)
        await scene.go_on()


async def test_an_editor_who_becomes_a_viewer_changes_nothing_more(stage: Stage) -> None:
    (eve,) = await invite(stage.server.database_url, Role.EDITOR)
    async with stage.scene() as scene, stage.attacker(scene.prompt, eve) as attacker:
        assert await attacker.is_answered()
        await change_role(stage, eve, Role.VIEWER)
        text, stored = await scene.agree(), await scene.stored()
        for update in edits_of(text_of(attacker)):
            await attacker.send(Update(update))
            await attacker.send(SyncStep2(update))
        assert await attacker.is_answered()
        assert (await scene.agree(), await scene.stored()) == (text, stored)
        # And what was not taken from a viewer is taken from an editor.
        await change_role(stage, eve, Role.EDITOR)
        for update in edits_of(text_of(attacker)):
            await attacker.send(Update(update))
        await wait_until(lambda: scene.ann.text != text, what="what the editor wrote")
        await scene.go_on()


async def test_one_who_is_removed_is_closed_and_does_not_come_back(stage: Stage) -> None:
    (eve,) = await invite(stage.server.database_url, Role.EDITOR)
    async with stage.scene() as scene, stage.attacker(scene.prompt, eve) as attacker:
        assert await attacker.is_answered()
        await stage.ask("DELETE", f"/api/v1/members/{eve.user_id}")
        assert await attacker.close_code() == NOT_ALLOWED
        assert await ending(stage.attacker(scene.prompt, eve)) == NOT_AUTHENTICATED
        await scene.go_on()


async def test_a_token_that_expires_closes_unless_it_is_renewed(stage: Stage) -> None:
    async with stage.scene() as scene:
        short = await token_for(stage, stage.people.mallory, seconds=2)
        async with (
            Attacker(stage.url(scene.prompt), short) as careless,
            Attacker(stage.url(scene.prompt), short) as careful,
            Attacker(stage.url(scene.prompt), short) as thief,
        ):
            await careful.send(TokenRenewal(stage.people.mallory.token))
            await thief.send(TokenRenewal(stage.people.owner.token))
            assert await careless.close_code() == NOT_AUTHENTICATED
            # A socket is renewed for the same person only.
            assert await thief.close_code() == NOT_ALLOWED
            assert await careful.is_answered()
        assert await ending(Attacker(stage.url(scene.prompt), short)) == NOT_AUTHENTICATED
        await scene.go_on()


async def test_nobody_writes_under_another_users_client_id(stage: Stage) -> None:
    async with stage.scene() as scene:
        for victim in (scene.ann.peer.document.client_id, scene.bob.peer.document.client_id):
            async with stage.attacker(scene.prompt) as attacker:
                assert await attacker.is_answered()
                stored = await scene.stored()
                forged = Document(client_id=victim)
                forged.apply([message.update for message in attacker.messages if isinstance(message, SyncStep2)])
                await attacker.send(Update(forged.edit([TextEdit(0, 0, "I, the victim, agree. ")])))
                assert await attacker.close_code() == CONFLICT
                assert await scene.stored() == stored
        await scene.go_on()


async def test_one_connection_takes_few_client_ids(stage: Stage) -> None:
    async with stage.scene() as scene, stage.attacker(scene.prompt) as attacker:
        assert await attacker.is_answered()
        for number in range(100):
            forged = Document(client_id=5_000_000 + number)
            await attacker.send(Update(forged.edit([TextEdit(0, 0, "x")])))
        assert await attacker.close_code() == CONFLICT
        assert scene.ann.text.count("x") < 20
        await scene.go_on()


# --- what the attacks are made of -----------------------------------------------------------------------------------


def text_of(client: Attacker) -> Document:
    document = Document()
    document.apply([message.update for message in client.messages if isinstance(message, SyncStep2 | Update)])
    return document


def edits_of(document: Document) -> list[bytes]:
    """An insertion, then the deletion of everything."""
    inserted = document.edit([TextEdit(0, 0, "Not allowed. ")])
    deleted = document.edit([TextEdit(0, 12, "")])
    return [inserted, deleted]


async def change_role(stage: Stage, person: Person, role: Role) -> None:
    await stage.ask("PATCH", f"/api/v1/members/{person.user_id}", {"role": role.value})


async def token_for(stage: Stage, person: Person, *, seconds: float) -> str:
    async with beside(stage.server.database_url) as store:
        organization = (await store.bootstrap()).organization
        return Authenticator(SECRET.encode(), store, time.time).issue(person.user_id, organization.id, ttl=seconds)


async def somebody_elsewhere(stage: Stage) -> str:
    """The token of an owner of another organization."""
    async with beside(stage.server.database_url) as store:
        organization = await store.accounts.create_organization("Elsewhere")
        user = await store.accounts.create_user("Stranger")
        await store.accounts.add_membership(organization.id, user.id, Role.OWNER.value)
        authenticator = Authenticator(SECRET.encode(), store, time.time)
        return authenticator.issue(user.id, organization.id, ttl=600)
