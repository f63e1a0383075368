"""Reading prompts over REST: one request after the other, every answer checked, nothing remembered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx2

from client.connection import Token
from client.errors import AccessDenied, PromptAmbiguous, PromptNotFound, RequestFailed, RequestRefused, ServerAway

_PAGE = 100
# A name that so many others contain is better replaced by an id.
_MAX_PAGES = 20
_TO_ERROR: Mapping[int, type[RequestFailed]] = {
    HTTPStatus.UNAUTHORIZED: AccessDenied,
    HTTPStatus.FORBIDDEN: AccessDenied,
    HTTPStatus.NOT_FOUND: PromptNotFound,
    HTTPStatus.TOO_MANY_REQUESTS: ServerAway,
}


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a prompt, as the server has it.

    Args:
        prompt_id: the prompt.
        id: the version's, which is that of the Git commit.
        text: a Dotprompt file.
    """

    prompt_id: UUID
    id: str
    text: str


class PromptReader:
    """Reads versions of prompts.

    Args:
        base_url: where the server is, such as ``http://127.0.0.1:8000``.
        token: an access token, or a function that is asked for one before every request.
        timeout: how long a request may take, in seconds.
    """

    def __init__(self, base_url: str, token: Token, *, timeout: float) -> None:
        self._token = token
        self._http = httpx2.AsyncClient(base_url=f"{base_url.rstrip('/')}/api/v1", timeout=timeout)

    async def read(self, prompt: str, ref: str, *, known: Version | None = None) -> Version:
        """Read a version.

        Args:
            prompt: its id or its name.
            ref: a version's id or the beginning of one, a label, or ``latest``.
            known: what was read last; where it is that still, the text is not sent again.

        Raises:
            RequestFailed: as one of its kinds.
        """
        prompt_id = _as_id(prompt) or await self._find(prompt)
        if known is not None and known.prompt_id != prompt_id:
            known = None
        path = f"/prompts/{prompt_id}/versions/{quote(ref, safe='')}"
        found = await self._get(path, unless=known.id if known is not None else None)
        if found is None and known is not None:
            return known
        try:
            return Version(prompt_id, str(found["id"]), str(found["content"]))
        except (KeyError, TypeError) as error:
            raise RequestRefused("the answer is no version") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _find(self, name: str) -> UUID:
        """The one prompt of a name."""
        found: list[UUID] = []
        query = {"q": name, "limit": str(_PAGE)}
        for _ in range(_MAX_PAGES):
            page = await self._get("/prompts", query=query)
            try:
                found += [UUID(prompt["id"]) for prompt in page["items"] if prompt["name"] == name]
                cursor = page["next_cursor"]
            except (KeyError, TypeError, ValueError) as error:
                raise RequestRefused("the answer is no list of prompts") from error
            if cursor is None:
                break
            query["cursor"] = cursor
        if len(found) > 1:
            raise PromptAmbiguous(f"{len(found)} prompts are named {name!r}: {', '.join(map(str, found))}")
        if not found:
            raise PromptNotFound(f"no prompt is named {name!r}")
        return found[0]

    async def _get(self, path: str, *, query: Mapping[str, str] | None = None, unless: str | None = None) -> Any:  # noqa: ANN401 - whatever JSON holds; who asked looks into it
        """What the answer holds; nothing where it is what is known already."""
        headers = {"Authorization": f"Bearer {await self._current_token()}", "Accept": "application/json"}
        if unless is not None:
            headers["If-None-Match"] = f'"{unless}"'
        try:
            answer = await self._http.get(path, params=query, headers=headers)
        except httpx2.RequestError as error:
            raise ServerAway(f"no answer: {type(error).__name__} {error}".rstrip()) from error
        if unless is not None and answer.status_code == HTTPStatus.NOT_MODIFIED:
            return None
        if answer.status_code == HTTPStatus.OK:
            return _json(answer)
        raise _error(answer.status_code, _json(answer))

    async def _current_token(self) -> str:
        if isinstance(self._token, str):
            return self._token
        try:
            return await self._token()
        except Exception as error:
            # Whatever the caller's own function raises must not end the task that refreshes.
            raise AccessDenied(f"no token: {type(error).__name__} {error}".rstrip()) from error


def _as_id(prompt: str) -> UUID | None:
    try:
        return UUID(prompt)
    except ValueError:
        return None


def _json(answer: httpx2.Response) -> object:
    try:
        return answer.json()
    except ValueError:
        return None


def _error(status: int, body: object) -> RequestFailed:
    """What an answer that is no success means; a proxy's has no problem document."""
    problem = body if isinstance(body, dict) else {}
    code = problem.get("code")
    kind = _TO_ERROR.get(status)
    if kind is PromptNotFound and code is None:
        # A page of a proxy, which does not find the server.
        kind = ServerAway
    if kind is None:
        kind = ServerAway if status >= HTTPStatus.INTERNAL_SERVER_ERROR else RequestRefused
    return kind(f"{status} {problem.get('detail', '')}".strip(), code=code if isinstance(code, str) else None)
