"""Origins: which page may open a socket, and use the cookie."""

import pytest

from server.access import Role, lower_role, origin_is_allowed

ALLOWED = frozenset({"https://a.example", "http://127.0.0.1:8000"})


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("https://a.example", True),
        ("https://A.example", True),
        ("http://127.0.0.1:8000", True),
        ("http://a.example", False),
        ("https://a.example:8443", False),
        ("https://a.example.evil", False),
        ("https://evil.example", False),
        ("null", False),
        ("", False),
    ],
)
def test_an_origin_is_allowed_exactly(origin: str | None, allowed: bool) -> None:  # noqa: FBT001 - an expectation
    assert origin_is_allowed(origin, host="evil.example", allowed=ALLOWED) is allowed


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        (None, None, True),
        ("https://prompts.example", "prompts.example", True),
        ("http://prompts.example:8000", "PROMPTS.example:8000", True),
        ("https://evil.example", "prompts.example", False),
        ("https://prompts.example", None, False),
        ("ftp://prompts.example", "prompts.example", False),
        ("null", "null", False),
    ],
)
def test_without_a_list_the_page_is_of_the_host_that_was_asked_for(
    origin: str | None,
    host: str | None,
    allowed: bool,  # noqa: FBT001 - an expectation
) -> None:
    assert origin_is_allowed(origin, host=host, allowed=frozenset()) is allowed


def test_the_lower_role_allows_less() -> None:
    assert lower_role(Role.OWNER, Role.VIEWER) is Role.VIEWER
    assert lower_role(Role.EDITOR, Role.OWNER) is Role.EDITOR
