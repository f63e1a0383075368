"""A person's REST client, which takes a server that is away for an answer."""

import re
from uuid import UUID

import httpx2

from tests.support.waiting import wait_until

_SECONDS = 60.0


class Rest:
    """REST as one person, on a server that may be killed at any time.

    Args:
        http: The connections; `trust_env` should be off.
        base_url: Where the server stands.
        token: Whose requests these are.
    """

    def __init__(self, http: httpx2.AsyncClient, base_url: str, token: str) -> None:
        self._http = http
        self._base_url = base_url
        self._headers = {"Authorization": f"Bearer {token}"}

    def as_somebody_else(self, token: str) -> "Rest":
        """Return REST over the same connections as another person."""
        return Rest(self._http, self._base_url, token)

    async def new_prompt(self, name: str, content: str) -> UUID:
        """Create a prompt, when the server is there, and return its id."""
        created: list[UUID] = []

        async def create() -> bool:
            answer = await self.ask("POST", "/api/v1/prompts", json={"name": name, "content": content})
            if answer is not None and answer.status_code == httpx2.codes.CREATED:
                created.append(UUID(answer.json()["id"]))
            return bool(created)

        await wait_until(create, what="a new prompt", seconds=_SECONDS)
        return created[0]

    async def live(self, prompt_id: UUID) -> str | None:
        """Return the text of a prompt, or None while the server or its database is away."""
        answer = await self.ask("GET", f"/api/v1/prompts/{prompt_id}/live")
        if answer is None or answer.status_code == httpx2.codes.SERVICE_UNAVAILABLE:
            return None
        assert answer.status_code == httpx2.codes.OK, answer.text
        return str(answer.json()["content"])

    async def put_in_front(self, prompt_id: UUID, text: str) -> None:
        """Insert text before all other; while the server or its database is away, perhaps not."""
        edit = {"edits": [{"start": 0, "end": 0, "text": text}]}
        answer = await self.ask("POST", f"/api/v1/prompts/{prompt_id}/edits", json=edit)
        if answer is not None and answer.status_code != httpx2.codes.SERVICE_UNAVAILABLE:
            assert answer.status_code == httpx2.codes.OK, answer.text

    async def readiness(self) -> int | None:
        """Return the status of `/readyz`."""
        answer = await self.ask("GET", "/readyz")
        return None if answer is None else answer.status_code

    async def metric(self, name: str) -> float:
        """Return the value of a metric without labels; 0 while there is none."""
        answer = await self.ask("GET", "/metrics")
        found = None if answer is None else re.search(rf"^{name} (\S+)$", answer.text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    async def ask(self, method: str, path: str, *, json: object = None) -> httpx2.Response | None:
        """Send one request, and return the answer, or None where the server went away before it came."""
        url = f"{self._base_url}{path}"
        try:
            return await self._http.request(method, url, json=json, headers=self._headers, timeout=_SECONDS)
        except httpx2.TransportError:
            return None
