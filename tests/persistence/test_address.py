"""What a database URL may be, and that its password is never shown."""

from pathlib import Path

import pytest

from persistence.address import DatabaseAddress
from persistence.errors import DatabaseUrlInvalid


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+aiosqlite"])
def test_a_file_is_found_from_the_working_directory_or_from_the_root(scheme: str) -> None:
    relative = DatabaseAddress.parse(f"{scheme}:///var/promptroom.db")
    assert relative.path == Path.cwd() / "var/promptroom.db"
    assert DatabaseAddress.parse(f"{scheme}:////srv/promptroom.db").path == Path("/srv/promptroom.db")
    assert relative.kind == "sqlite"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_a_server_is_addressed_as_asyncpg_does(scheme: str) -> None:
    address = DatabaseAddress.parse(f"{scheme}://ada:s3cret%2F@db.example:5433/prompts?sslmode=require")
    assert address.kind == "postgresql"
    assert address.dsn == "postgresql://ada:s3cret%2F@db.example:5433/prompts?sslmode=require"


def test_sqlalchemys_spelling_of_the_tls_mode_is_understood() -> None:
    address = DatabaseAddress.parse("postgresql+asyncpg://ada@db.example/prompts?ssl=verify-full&application_name=x")
    assert address.dsn == "postgresql://ada@db.example/prompts?application_name=x&sslmode=verify-full"


def test_the_password_is_shown_nowhere() -> None:
    address = DatabaseAddress.parse("postgresql://ada:s3cret@db.example/prompts?password=s3cret")
    assert "s3cret" not in address.shown + repr(address)
    assert "db.example" in address.shown


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "cannot be read"),
        ("s3cret", "cannot be read"),
        ("postgresql://ada:s3cret@db.example:port/prompts", "cannot be read"),
        ("mysql://ada:s3cret@db.example/prompts", "'mysql'"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite+aiosqlite://s3cret/var/x.db", "takes neither"),
        ("sqlite:///var/x.db?mode=ro", "takes neither"),
        ("postgresql://ada:s3cret@db.example", "names no database"),
        ("postgresql://ada:s3cret@db.example/prompts?sslmod=require", "the parameter 'sslmod', which is none of"),
    ],
)
def test_anything_else_is_refused_with_what_it_should_be(url: str, why: str) -> None:
    with pytest.raises(DatabaseUrlInvalid) as refused:
        DatabaseAddress.parse(url)
    message = str(refused.value)
    assert why in message
    assert "expected sqlite+aiosqlite:///" in message
    assert "s3cret" not in message
