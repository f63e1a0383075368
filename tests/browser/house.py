"""One server with the built editor, and the people who come to it, each at a browser of their own."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx2
from playwright.async_api import Browser

from server.access import Role
from tests.browser.person import Person
from tests.support.people import invite
from tests.support.rest import Rest
from tests.support.server import ServerProcess
from tests.support.waiting import wait_until

# By this name Monaco tells Windows, and there takes CRLF for the line end of a new text.
ON_WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
)
SIZE = {"width": 1440, "height": 900}


class House:
    """A server and its visitors.

    Args:
        server: Started with `people.ENVIRONMENT`.
        browser: Where everybody's tabs are; they share nothing but its program.
        rest: REST on the server as an owner who never comes to a browser.
        address: Where people come in; the server's own where it is None.
    """

    def __init__(self, server: ServerProcess, browser: Browser, rest: Rest, address: str | None = None) -> None:
        self.server = server
        self._address = address or server.base_url
        self.rest = rest
        self.people: list[Person] = []
        self._browser = browser

    @classmethod
    async def opened(
        cls, server: ServerProcess, browser: Browser, http: httpx2.AsyncClient, *, address: str | None = None
    ) -> "House":
        """Open a house: its owner stays in the office and does by REST what tests need done."""
        [owner] = await invite(server.database_url, Role.OWNER)
        return cls(server, browser, Rest(http, address or server.base_url, owner.token), address)

    def for_new_people(self) -> "House":
        """Return the same house without anybody in it."""
        return House(self.server, self._browser, self.rest, self._address)

    async def visitor(self, name: str, *, user_agent: str | None = None) -> Person:
        """Give somebody a browser; nobody has signed in there yet."""
        context = await self._browser.new_context(
            viewport={"width": SIZE["width"], "height": SIZE["height"]},
            base_url=self._address,
            user_agent=user_agent,
            reduced_motion="reduce",  # so that nothing is looked at halfway
            permissions=["clipboard-read", "clipboard-write"],
        )
        person = await Person.at(context, name)
        self.people.append(person)
        return person

    async def new_member(self, name: str, role: Role = Role.EDITOR, *, email: str | None = None) -> Mapping[str, Any]:
        """Make somebody a member, and return what the server answers: ids and the invitation."""
        return await self._ask("POST", "/api/v1/members", name=name, role=role, email=email)

    async def new_member_with_password(self, name: str, role: Role, *, email: str, password: str) -> None:
        """Make somebody a member who signs in without a link."""
        member = await self.new_member(name, role, email=email)
        ticket = parse_qs(urlsplit(member["invitation"]["url"]).fragment)["ticket"][0]
        signed_in = await self._ask("POST", "/api/v1/auth/login", ticket=ticket)
        await self._ask("PATCH", "/api/v1/me", token=signed_in["access_token"], password=password)

    async def guest(
        self,
        name: str,
        prompt_id: UUID,
        *,
        role: Role = Role.EDITOR,
        user_agent: str | None = None,
    ) -> Person:
        """Invite somebody, who opens the link and has the prompt in front of them."""
        member = await self.new_member(name, role)
        person = await self.visitor(name, user_agent=user_agent)
        person.user_id = UUID(member["user_id"])
        await person.page.goto(f"{member['invitation']['url']}&next=/prompts/{prompt_id}")
        await person.editor.opened()
        return person

    async def guests(self, prompt_id: UUID, **roles: Role) -> list[Person]:
        """Invite several people by name, or two editors, Ada and Grace; they have the prompt in front of them."""
        roles = roles or {"Ada": Role.EDITOR, "Grace": Role.EDITOR}
        return await asyncio.gather(*(self.guest(name, prompt_id, role=role) for name, role in roles.items()))

    async def change_role(self, person: Person, role: Role) -> None:
        """Give somebody another role, as an owner does."""
        await self._ask("PATCH", f"/api/v1/members/{person.user_id}", role=role)

    async def stores(self, prompt_id: UUID, text: str) -> None:
        """Wait until the server has a text."""

        async def stored() -> bool:
            return await self.rest.live(prompt_id) == text

        await wait_until(stored, what=f"{text!r} on the server")

    async def take_pictures(self, directory: Path) -> list[Path]:
        """Keep what everybody has on their screens."""
        pictures = [directory / f"{number}-{person.name}.png" for number, person in enumerate(self.people, 1)]
        for person, picture in zip(self.people, pictures, strict=True):
            await person.page.screenshot(path=picture)
        return pictures

    async def close(self) -> None:
        """Send everybody home."""
        for person in self.people:
            await person.page.context.close()

    async def _ask(self, method: str, path: str, *, token: str | None = None, **body: object) -> Mapping[str, Any]:
        rest = self.rest if token is None else self.rest.as_somebody_else(token)
        answer = await rest.ask(method, path, json=body)
        assert answer is not None, "the server is away"
        assert answer.is_success, answer.text
        document: Mapping[str, Any] = answer.json()
        return document
