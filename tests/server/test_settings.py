"""Settings: what is understood, and what stops the start with one line."""

import os
from pathlib import Path

import pytest

from server.settings import SettingError, Settings
from server.signing_key import KEY_FILE

SECRET = "s3cret-" * 6


def read(directory: Path, host: str | None = None, port: int | None = None, **variables: str) -> Settings:
    return Settings.from_environment({"STATE_DIRECTORY": str(directory), **variables}, host=host, port=port)


def test_without_variables_a_server_serves_this_machine(tmp_path: Path) -> None:
    settings = read(tmp_path)
    assert (settings.host, settings.port, settings.public_url) == ("127.0.0.1", 8000, "http://127.0.0.1:8000")
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/promptroom.db"
    assert settings.is_sqlite
    assert settings.redis_url is None
    assert settings.allowed_origins == {"http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"}
    assert (settings.log_level, settings.log_format) == ("info", "console")
    assert (settings.drain_deadline, settings.idle_unload) == (10.0, 60.0)


def test_the_state_directory_is_var() -> None:
    settings = Settings.from_environment({"JWT_SECRET_KEY": SECRET})
    assert settings.state_directory == Path("var")
    assert settings.database_url == "sqlite+aiosqlite:///var/promptroom.db"


def test_the_process_has_an_environment_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("PORT", "8123")
    assert Settings.from_environment().port == 8123


def test_the_command_line_wins(tmp_path: Path) -> None:
    settings = read(tmp_path, host="::1", port=9000, HOST="localhost", PORT="8001")
    assert (settings.host, settings.port, settings.public_url) == ("::1", 9000, "http://[::1]:9000")


def test_an_empty_variable_is_an_unset_one(tmp_path: Path) -> None:
    assert read(tmp_path, PORT="", REDIS_URL=" ", LOG_LEVEL="") == read(tmp_path)


@pytest.mark.parametrize(
    ("url", "understood"),
    [
        ("postgres://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgresql://u:p@h:5432/d", "postgresql+asyncpg://u:p@h:5432/d"),
        ("postgresql+asyncpg:///d?host=/run/pg", "postgresql+asyncpg:///d?host=/run/pg"),
        ("sqlite:////tmp/a.db", "sqlite+aiosqlite:////tmp/a.db"),
    ],
)
def test_database_urls_are_written_in_one_way(tmp_path: Path, url: str, understood: str) -> None:
    assert read(tmp_path, DATABASE_URL=url).database_url == understood


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "-1"),
        ("PORT", "65536"),
        ("PORT", "8000.0"),
        ("PORT", "٣"),
        ("HOST", "a host"),
        ("DATABASE_URL", "promptroom.db"),
        ("DATABASE_URL", "mysql://u:hunter2@h/d"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite+aiosqlite:///:memory:"),
        ("DATABASE_URL", "postgresql://u:hunter2@h"),
        ("DATABASE_URL", "postgresql:///"),
        ("DATABASE_URL", "postgresql://u:hunter2@h:port/d"),
        ("REDIS_URL", "localhost:6379"),
        ("REDIS_URL", "http://u:hunter2@h"),
        ("REDIS_URL", "redis://:hunter2@/0"),
        ("REDIS_URL", "redis://:hunter2@[::1/0"),
        ("REDIS_URL", "redis://:hunter2@h:port/0"),
        ("REDIS_URL", "redis://:hunter2@h/first"),
        ("REDIS_URL", "redis://:hunter2@h?db=first"),
        ("REDIS_URL", "redis://:hunter2@h?decode_responses=true"),
        ("REDIS_URL", "redis://:hunter2@h?ssl_ca_certs=/ca.pem"),
        ("REDIS_URL", "unix://?password=hunter2"),
        ("JWT_SECRET_KEY", "hunter2"),
        ("ALLOWED_ORIGINS", "*"),
        ("ALLOWED_ORIGINS", "example.com"),
        ("ALLOWED_ORIGINS", "https://example.com/path"),
        ("ALLOWED_ORIGINS", "https://a.example, null"),
        ("PUBLIC_URL", "example.com"),
        ("PUBLIC_URL", "https://example.com/prompts"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("DRAIN_DEADLINE_SECONDS", "soon"),
        ("DRAIN_DEADLINE_SECONDS", "-1"),
        ("DRAIN_DEADLINE_SECONDS", "nan"),
        ("IDLE_UNLOAD_SECONDS", "1e9"),
    ],
)
def test_a_malformed_setting_is_one_line_that_names_it(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingError) as refused:
        Settings.from_environment({"STATE_DIRECTORY": str(tmp_path), name: value})
    message = str(refused.value)
    assert refused.value.name == name
    assert message.startswith(f"{name} ")
    assert "; it should be " in message
    assert "\n" not in message
    assert "hunter2" not in message


def test_redis_with_sqlite_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"^REDIS_URL .*SQLite"):
        read(tmp_path, REDIS_URL="redis://h:6379/0")


@pytest.mark.parametrize(
    "url",
    [
        "redis://h",
        "redis://user:p%40ss@h:6379/3",
        "redis://[::1]:6379?db=3",
        "rediss://:p@h:6380/0?ssl_ca_certs=/ca.pem&ssl_check_hostname=false",
        "unix:///run/redis.sock?db=3&password=p",
    ],
)
def test_redis_comes_with_postgresql(tmp_path: Path, url: str) -> None:
    settings = read(tmp_path, REDIS_URL=url, DATABASE_URL="postgres://u:p@h/d")
    assert settings.redis_url == url
    assert url not in repr(settings)


def test_a_host_that_others_reach_needs_a_key_of_its_own(tmp_path: Path) -> None:
    for host in ("0.0.0.0", "::", "192.168.1.4", "promptroom.example"):  # noqa: S104 - nothing is bound
        with pytest.raises(SettingError, match=r"^JWT_SECRET_KEY is not set while HOST is"):
            read(tmp_path, HOST=host)
        settings = read(tmp_path, HOST=host, JWT_SECRET_KEY=SECRET)
        assert settings.jwt_secret == SECRET.encode()
        assert settings.allowed_origins == frozenset()
    assert not (tmp_path / KEY_FILE).exists()


def test_this_machine_gets_a_key_once(tmp_path: Path) -> None:
    directory = tmp_path / "var"
    first = read(directory).jwt_secret
    assert len(first) >= 32
    assert read(directory, HOST="localhost").jwt_secret == first
    assert (directory / KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_a_key_file_that_cannot_be_trusted_is_one_line(tmp_path: Path) -> None:
    read(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o644)
    with pytest.raises(SettingError, match=r"^JWT_SECRET_KEY .*read by others \(mode 0644\)"):
        read(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o600)
    (tmp_path / KEY_FILE).write_text("short")
    with pytest.raises(SettingError, match=r"^JWT_SECRET_KEY .*holds 5 bytes"):
        read(tmp_path)
    (tmp_path / KEY_FILE).unlink()
    (tmp_path / KEY_FILE).mkdir(mode=0o700)
    with pytest.raises(SettingError, match=r"^JWT_SECRET_KEY .*cannot be used"):
        read(tmp_path)


def test_origins_are_exact_and_the_public_one_is_among_them(tmp_path: Path) -> None:
    settings = read(
        tmp_path, ALLOWED_ORIGINS="https://A.example, http://b.example:3000/", PUBLIC_URL="https://prompts.example/"
    )
    assert settings.allowed_origins == {"https://a.example", "http://b.example:3000", "https://prompts.example"}
    assert settings.sign_in_url("t") == "https://prompts.example/signin#ticket=t"


def test_a_port_that_the_system_chose_is_in_origins_and_links(tmp_path: Path) -> None:
    settings = read(tmp_path, PORT="0").listening_on(4321)
    assert (settings.port, settings.public_url) == (4321, "http://127.0.0.1:4321")
    assert "http://localhost:4321" in settings.allowed_origins
    explicit = read(tmp_path, PORT="0", PUBLIC_URL="https://p.example").listening_on(4321)
    assert explicit.public_url == "https://p.example"


def test_no_secret_is_in_the_representation(tmp_path: Path) -> None:
    settings = read(tmp_path, JWT_SECRET_KEY=SECRET, DATABASE_URL="postgres://u:hunter2@h/d")
    assert SECRET not in repr(settings)
    assert "hunter2" not in repr(settings)


def test_other_variables_are_left_alone(tmp_path: Path) -> None:
    before = dict(os.environ)
    read(tmp_path)
    assert dict(os.environ) == before
