"""The built editor: what is cached, what is not, and what its page may load."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.api.edge import Edge

PAGE = b"<!doctype html><title>Promptroom</title>"
SCRIPT = b"export const answer = 42;\n" * 100


@pytest.fixture
async def edge(tmp_path: Path, migrated_database: Path) -> AsyncIterator[Edge]:
    built = tmp_path / "dist"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_bytes(PAGE)
    (built / "favicon.svg").write_bytes(b"<svg/>")
    (built / "assets" / "index-4f3a.js").write_bytes(SCRIPT)
    (built / ".from-1").write_bytes(b"stamp")
    (tmp_path / "outside.txt").write_bytes(b"outside")
    (built / "link.txt").symlink_to(tmp_path / "outside.txt")
    edge = await Edge.build(tmp_path, migrated_database, editor=built)
    yield edge
    await edge.close()


@pytest.mark.parametrize("path", ["/", "/signin", "/prompts/3c1e", "/anything/else", "/index.html"])
async def test_a_navigation_gets_the_page_which_is_asked_for_again(edge: Edge, path: str) -> None:
    answer = await edge.client.get(path, headers={"Accept": "text/html,*/*;q=0.8"})
    assert (answer.status_code, answer.content) == (200, PAGE)
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"
    again = await edge.client.get(path, headers={"Accept": "text/html", "If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_scripts_come_from_here_only(edge: Edge) -> None:
    policy = (await edge.client.get("/")).headers["content-security-policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == "'self'"
    assert directives["connect-src"] == "'self'"
    assert directives["frame-ancestors"] == directives["base-uri"] == directives["form-action"] == "'none'"


async def test_an_asset_is_kept_for_ever_and_sent_compressed(edge: Edge) -> None:
    answer = await edge.client.get("/assets/index-4f3a.js")
    assert answer.content == SCRIPT
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["vary"]
    assert int(answer.headers["content-length"]) < len(SCRIPT) // 2
    plain = await edge.client.get("/assets/index-4f3a.js", headers={"Accept-Encoding": "identity"})
    assert plain.content == SCRIPT
    assert "content-encoding" not in plain.headers


async def test_a_file_without_a_hash_is_asked_for_again(edge: Edge) -> None:
    answer = await edge.client.get("/favicon.svg")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-type"] == "image/svg+xml"


async def test_a_new_build_is_seen_without_a_restart(edge: Edge, tmp_path: Path) -> None:
    await edge.client.get("/")
    (tmp_path / "dist" / "index.html").write_bytes(b"new")
    assert (await edge.client.get("/")).content == b"new"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/missing.js",
        "/.from-1",
        "/link.txt",
        "/..%2foutside.txt",
        "/%2e%2e/outside.txt",
        "/assets/..%2f..%2foutside.txt",
        "/assets%5c..%5coutside.txt",
        "/favicon.svg%00",
        "//etc/passwd.txt",
        "/api/v1/nothing",
        "/ws/prompt",
    ],
)
async def test_nothing_else_is_served(edge: Edge, path: str) -> None:
    answer = await edge.client.get(path, headers={"Accept": "text/html,*/*"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_program_is_not_answered_with_a_page(edge: Edge) -> None:
    answer = await edge.client.get("/signin", headers={"Accept": "application/json"})
    assert answer.status_code == 404


async def test_without_a_build_the_page_says_how_to_get_one(edge: Edge, tmp_path: Path) -> None:
    (tmp_path / "dist" / "index.html").unlink()
    answer = await edge.client.get("/")
    assert answer.status_code == 503
    assert "make serve" in answer.text
