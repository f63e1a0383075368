"""The whole HTTP edge over a real store and a real hub, called in this process."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import httpx2
from argon2 import PasswordHasher
from fastapi import FastAPI

from crdt.document import initial_state
from persistence.labels import LabelChange
from persistence.store import Store, migrate
from persistence.versions import VersionKind
from server.access import Role
from server.app import create_app
from server.auth import Authenticator, Passwords
from server.history.making import Draft, make_version
from server.hub import Hub
from server.services import Services
from server.settings import Settings

ORIGIN = "http://127.0.0.1:8000"
NO_ID = UUID(int=0)
START = 1_800_000_000.0
TEXT = "Say {{greeting}} to 😀, then say goodbye.\n"


class Clock:
    """Seconds since the epoch, which pass when they are told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        """Answer the present in seconds."""
        return self.now

    def utc(self) -> datetime:
        """Answer the present as the store wants it."""
        return datetime.fromtimestamp(self.now, UTC)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


@dataclass
class Person:
    """Somebody with a membership."""

    user_id: UUID
    organization_id: UUID


@dataclass
class Edge:
    """An application with people of every role, a prompt, and another organization with its own."""

    app: FastAPI
    services: Services
    client: httpx2.AsyncClient
    clock: Clock
    people: dict[str, Person] = field(default_factory=dict)
    prompt_id: UUID = NO_ID
    foreign_prompt_id: UUID = NO_ID
    project_id: UUID = NO_ID
    foreign_project_id: UUID = NO_ID

    @classmethod
    async def build(
        cls, directory: Path, template: Path, *, editor: Path | None = None, postgres_url: str = ""
    ) -> "Edge":
        """Start on a copy of a migrated SQLite file, or on an empty PostgreSQL database."""
        clock = Clock()
        settings = Settings.from_environment({"STATE_DIRECTORY": str(directory), "DATABASE_URL": postgres_url})
        if settings.is_sqlite:
            shutil.copy(template, directory / "promptroom.db")
        else:
            await migrate(settings.database_url)
        store = await Store.open(settings.database_url, clock=clock.utc)
        authenticator = Authenticator(settings.jwt_secret, store, clock)
        hub = Hub(store, authenticator, wall_clock=clock)
        passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        services = Services(settings, store, hub, authenticator, passwords, clock)
        app = create_app(services, editor=editor or directory / "no-editor")
        client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=ORIGIN)
        edge = cls(app, services, client, clock)
        await hub.start()
        await edge._fill()
        return edge

    @property
    def store(self) -> Store:
        """What is kept."""
        return self.services.store

    def token(self, name: str, *, ttl: float = 3600.0, cap: Role | None = None) -> str:
        """Answer an access token."""
        person = self.people[name]
        return self.services.authenticator.issue(person.user_id, person.organization_id, ttl=ttl, role_cap=cap)

    async def call(
        self,
        name: str | None,
        method: str,
        path: str,
        *,
        json: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        """Send a request to `/api/v1` as somebody, or as nobody."""
        own = {} if name is None else {"Authorization": f"Bearer {self.token(name)}"}
        return await self.client.request(
            method, f"/api/v1{path}", json=json, content=content, headers=own | dict(headers or {})
        )

    async def sign_in_ticket(self, name: str, *, ttl: float = 60.0) -> str:
        """Answer the ticket of a sign-in link."""
        person = self.people[name]
        return await self.store.tickets.issue("sign_in", person.user_id, person.organization_id, ttl)

    async def text(self) -> str:
        """Answer the prompt's text."""
        return (await self.services.hub.live(self.prompt_id)).text

    async def make_history(self) -> str:
        """Make a version of the prompt's first text, if there is none, and name it `production`; answer its id."""
        prompt = await self.store.prompts.get(self.prompt_id)
        owner_id = self.people["owner"].user_id
        head = await self.store.versions.latest(prompt.id)
        if head is None:
            draft = Draft(TEXT, 1, owner_id, VersionKind.MANUAL, "The first", self.clock())
            head, _ = await make_version(self.store, prompt, None, draft)
        await self.store.labels.change(prompt.id, "production", LabelChange(owner_id, head.id), permit=lambda _: None)
        return head.id

    async def close(self) -> None:
        """Stop."""
        await self.client.aclose()
        await self.services.hub.drain(5.0)
        await self.store.close()

    async def _fill(self) -> None:
        home = await self.store.bootstrap()
        other = await self.store.accounts.create_organization("Other")
        self.people["owner"] = Person(home.owner.id, home.organization.id)
        for name, organization_id, role in (
            ("editor", home.organization.id, Role.EDITOR),
            ("viewer", home.organization.id, Role.VIEWER),
            ("stranger", other.id, Role.OWNER),
        ):
            user = await self.store.accounts.create_user(name=name.title(), email=f"{name}@example.org")
            await self.store.accounts.add_membership(organization_id, user.id, role.value)
            self.people[name] = Person(user.id, organization_id)
        foreign = await self.store.projects.create(other.id, "Theirs")
        self.project_id, self.foreign_project_id = home.project.id, foreign.id
        self.prompt_id = await self._prompt("owner", home.project.id, "Greeting")
        self.foreign_prompt_id = await self._prompt("stranger", foreign.id, "Secret")

    async def _prompt(self, name: str, project_id: UUID, prompt_name: str) -> UUID:
        person = self.people[name]
        prompt = await self.store.prompts.create(
            organization_id=person.organization_id,
            project_id=project_id,
            name=prompt_name,
            state=initial_state(TEXT, 7),
            client_id=7,
            user_id=person.user_id,
        )
        return prompt.id
