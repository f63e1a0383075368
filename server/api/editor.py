"""Serves the built editor: a page that the browser asks for again each time, and assets that it keeps for ever.

Assets carry a hash of their content in their name (Vite), so they never change. The page is answered for every path
that a browser navigates to, because the editor finds its way by the History API.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import mimetypes
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocketClose

from server.errors import NotFound

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

PAGE: Final = "index.html"

# Monaco writes style attributes and sheets; its workers come from our own files. Scripts have no such exception.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; "
    "font-src 'self' data:; img-src 'self' data:; connect-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FOREVER: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"
_NOT_PAGES: Final = ("api", "ws", "git", "assets")
_WORTH_COMPRESSING: Final = frozenset({".css", ".html", ".js", ".json", ".map", ".svg", ".txt", ".wasm"})
_NOT_BUILT: Final = b"The editor is not built: run `make serve` in a checkout, or install the wheel.\n"


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    compressed: bytes | None
    media_type: str
    tag: str


@dataclass(slots=True)
class EditorFiles:
    """The files of the editor, each read and compressed once, when it is first asked for.

    Arguments: `directory` of the build.
    """

    directory: Path
    _files: dict[str, _File] = field(default_factory=dict)

    async def get(self, name: str) -> _File | None:
        """Answers a file by its path inside the build, None where there is none."""
        if name in self._files:
            return self._files[name]
        path = self._inside(name)
        if path is None:
            return None
        file = await asyncio.to_thread(_read, path)
        # Assets never change and are few; the page does, when a new build replaces the old one under a running server.
        if name.startswith("assets/"):
            self._files[name] = file
        return file

    def _inside(self, name: str) -> Path | None:
        parts = PurePosixPath(name).parts
        if not parts or any(part.startswith(".") or "\\" in part or "\0" in part for part in parts):
            return None
        path = self.directory.joinpath(*parts)
        return path if path.is_file() and path.resolve().is_relative_to(self.directory.resolve()) else None


class EditorFallback:
    """Answers what no route is there for: a file of the editor, its page, or that there is nothing.

    Arguments: `directory` of the build.
    """

    # What the request log and the metrics call it.
    path: Final = "editor"

    def __init__(self, directory: Path | None = None) -> None:
        self._files = EditorFiles(directory or built_editor())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request. Raises NotFound."""
        if scope["type"] == "websocket":
            await WebSocketClose(NotFound.close_code)(scope, receive, send)
            return
        response = await self._respond(Request(scope))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        name = request.url.path.removeprefix("/")
        if request.method not in {"GET", "HEAD"}:
            raise NotFound
        file = await self._files.get(name) if name != PAGE else None
        if file is not None:
            request.scope["route"] = self
            return _answer(request, file, _FOREVER if name.startswith("assets/") else _ASK_AGAIN)
        if not _is_navigation(request, name):
            raise NotFound
        request.scope["route"] = self
        page = await self._files.get(PAGE)
        if page is None:
            return Response(_NOT_BUILT, status_code=503, media_type="text/plain")
        return _answer(request, page, _ASK_AGAIN)


def built_editor() -> Path:
    """Answers where the installed `client` package carries the built editor, without importing the package."""
    found = find_spec("client")
    places = found.submodule_search_locations if found is not None else None
    return Path(next(iter(places)) if places else "client") / "web" / "dist"


def _is_navigation(request: Request, name: str) -> bool:
    """Whether a person follows a link, rather than a program asking for a file or an endpoint."""
    first = name.partition("/")[0]
    if first in _NOT_PAGES or "." in name.rpartition("/")[2].removesuffix(".html"):
        return False
    accept = request.headers.get("accept", "*/*")
    return not name or "text/html" in accept


def _answer(request: Request, file: _File, cache: str) -> Response:
    headers = {
        "Cache-Control": cache,
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "ETag": file.tag,
        "Vary": "Accept-Encoding",
    }
    if file.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if file.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(file.compressed, headers=headers, media_type=file.media_type)
    return Response(file.content, headers=headers, media_type=file.media_type)


def _read(path: Path) -> _File:
    content = path.read_bytes()
    compressed = gzip.compress(content, 6, mtime=0) if path.suffix in _WORTH_COMPRESSING else None
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return _File(content, compressed, media_type, f'"{hashlib.sha256(content).hexdigest()[:24]}"')
