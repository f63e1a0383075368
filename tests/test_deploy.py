"""The examples of docs/deploy agree with the server, with each other and with the manual.

Read as text: neither Docker nor systemd nor a load balancer has to be there.
"""

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from prometheus_client import Metric
from starlette.routing import WebSocketRoute

from persistence.engine import POOL_CONNECTIONS
from server import cli
from server.app import create_app
from server.limits import MAX_BODY_BYTES, MAX_CONNECTIONS, WEBSOCKET_PING_SECONDS
from server.services import Services
from server.settings import Settings
from server.telemetry import REGISTRY
from tests.support.small_yaml import read_yaml
from tests.support.source import ROOT
from tests.test_docs import rows, settings_read

DEPLOY = ROOT / "docs" / "deploy"
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
UNITS = ("promptroom.service", "promptroom@.service", "promptroom-migrate.service")
# uvicorn's own, see docs/operations.md.
OF_UVICORN = "FORWARDED_ALLOW_IPS"
NAMES = settings_read(ROOT / "server" / "settings.py") | {OF_UVICORN}
KEY = "0123456789abcdef" * 2


def text_of(name: str) -> str:
    return (DEPLOY / name).read_text()


def lines_of(name: str) -> list[str]:
    """The lines of a file without comments, indentation and empty lines."""
    lines = [line.strip() for line in text_of(name).splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def assigned(name: str) -> dict[str, str]:
    """What an environment file sets."""
    return dict(line.split("=", 1) for line in lines_of(name))


def seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+)(ms|s|m)?", text)
    assert found, text
    return int(found[1]) * {"ms": 0.001, "s": 1, "m": 60, None: 1}[found[2]]


def commands() -> set[str]:
    return {each.name or each.callback.__name__ for each in cli.app.registered_commands if each.callback}


def routes(tmp_path: Path) -> list[str]:
    settings = Settings.from_environment({"STATE_DIRECTORY": str(tmp_path)})
    nothing: Any = None
    app = create_app(Services(settings, nothing, nothing, nothing, nothing, lambda: 0.0))
    sockets = [route.path for route in app.routes if isinstance(route, WebSocketRoute)]
    return [*app.openapi()["paths"], *sockets]


def test_the_procfile_has_a_release_and_a_web_and_no_worker() -> None:
    processes = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    assert processes.keys() == {"release", "web"}
    for command in processes.values():
        program, name, *_ = command.split()
        assert program == "promptroom"
        assert name in commands()


# --- compose ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document = read_yaml(text_of("compose.yaml"))
    assert isinstance(document, dict)
    return document


@pytest.fixture(scope="module")
def nodes(compose: dict[str, Any]) -> dict[str, Any]:
    return {name: service for name, service in compose["services"].items() if name.startswith("node-")}


def filled_in(environment: Mapping[str, str]) -> dict[str, str]:
    given = assigned("compose.env") | {"JWT_SECRET_KEY": KEY, "POSTGRES_PASSWORD": KEY}
    return {
        name: re.sub(r"\$\{(\w+):\?[^}]*\}", lambda match: given[match[1]], value)
        for name, value in environment.items()
    }


def test_nodes_start_with_the_settings_of_compose(nodes: dict[str, Any]) -> None:
    assert len(nodes) >= 2
    for node in nodes.values():
        assert node["environment"].keys() <= NAMES
        settings = Settings.from_environment(filled_in(node["environment"]))
        assert not settings.is_sqlite
        assert settings.redis_url
        assert settings.log_format == "json"


def test_what_compose_asks_for_stands_in_its_environment_file(compose: dict[str, Any]) -> None:
    asked = set(re.findall(r"\$\{(\w+)", text_of("compose.yaml")))
    assert asked == assigned("compose.env").keys()
    assert not re.findall(r"\$\{\w+\}", text_of("compose.yaml")), "a secret that is missing has to stop the start"
    database = compose["services"]["postgres"]["environment"]
    url = urlsplit(filled_in(compose["services"]["node-1"]["environment"])["DATABASE_URL"])
    assert (url.username, url.path[1:]) == (database["POSTGRES_USER"], database["POSTGRES_DB"])


def test_a_node_has_longer_to_stop_than_it_takes(nodes: dict[str, Any]) -> None:
    for node in nodes.values():
        deadline = Settings.from_environment(filled_in(node["environment"])).drain_deadline
        assert seconds(node["stop_grace_period"]) > deadline + 5


def test_ports_and_paths_agree(compose: dict[str, Any], nodes: dict[str, Any], tmp_path: Path) -> None:
    served = routes(tmp_path)
    port = nodes["node-1"]["environment"]["PORT"]
    assert f"EXPOSE {port}" in lines_of("Dockerfile")
    for name in ("haproxy.cfg", "nginx.conf"):
        assert {f"{node}:{port}" for node in nodes} == set(
            re.findall(r"\bserver (?:node-\d )?(node-\d:\d+)", text_of(name))
        )
    for node in nodes.values():
        (url,) = re.findall(r"http://[^']+", node["healthcheck"]["test"][-1])
        assert str(urlsplit(url).port) == port
        assert urlsplit(url).path == "/readyz"
    assert {"/readyz", "/healthz"} <= set(served)
    (published,) = compose["services"]["balancer"]["ports"]
    outside, inside = published.split(":")
    assert f"bind :{inside}" in lines_of("haproxy.cfg")
    assert urlsplit(assigned("compose.env")["PUBLIC_URL"]).port == int(outside)


def test_the_schema_is_there_before_the_nodes(compose: dict[str, Any], nodes: dict[str, Any]) -> None:
    services = compose["services"]
    release = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())["release"]
    assert " ".join(services["migrate"]["command"]) == release
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for node in nodes.values():
        assert node["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        assert services["migrate"]["environment"] == node["environment"]
    assert services["balancer"]["depends_on"] == {name: {"condition": "service_healthy"} for name in nodes}


def test_only_the_load_balancer_is_reached_from_outside(compose: dict[str, Any], nodes: dict[str, Any]) -> None:
    services = compose["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["balancer"]
    assert services["balancer"]["networks"] == ["front"]
    assert services["postgres"]["networks"] == services["valkey"]["networks"] == ["back"]
    assert compose["networks"]["back"]["internal"] == "true"
    (front,) = compose["networks"]["front"]["ipam"]["config"]
    for node in nodes.values():
        assert ipaddress.ip_network(node["environment"][OF_UVICORN]) == ipaddress.ip_network(front["subnet"])


def test_what_is_kept_is_kept_by_postgresql_alone(compose: dict[str, Any], nodes: dict[str, Any]) -> None:
    services = compose["services"]
    assert int(services["postgres"]["image"].partition(":")[2]) >= 16
    assert [mount.partition(":")[0] for mount in services["postgres"]["volumes"]] == list(compose["volumes"])
    assert services["valkey"]["command"] == ["valkey-server", "--save", "", "--appendonly", "no"]
    assert all(node["read_only"] == "true" and "volumes" not in node for node in nodes.values())


def test_a_node_may_have_all_its_connections(nodes: dict[str, Any]) -> None:
    assert all(int(node["ulimits"]["nofile"]) > MAX_CONNECTIONS for node in nodes.values())


def test_the_image_is_built_of_what_is_there(nodes: dict[str, Any]) -> None:
    for node in nodes.values():
        context = DEPLOY / node["build"]["context"]
        assert context.resolve() == ROOT
        assert (context / node["build"]["dockerfile"]).is_file()
    built = text_of("Dockerfile")
    for name in re.findall(r"/build/(requirements\S+)", built):
        assert (ROOT / name).is_file()
    assert re.search(r"^RUN make build$", built, re.MULTILINE)
    assert "CMD " + json.dumps(["promptroom", "serve"]) in built
    assert {"var", ".*", "docs/deploy/.env"} <= set(lines_of("Dockerfile.dockerignore"))
    assert "/docs/deploy/.env" in (ROOT / ".gitignore").read_text().splitlines()


# --- systemd ----------------------------------------------------------------------------------------------------------


def unit(name: str) -> list[tuple[str, str]]:
    return [
        (key, value) for key, _, value in (line.partition("=") for line in lines_of(name)) if not key.startswith("[")
    ]


def test_the_units_run_commands_that_there_are() -> None:
    for name, command in zip(UNITS, ("serve", "serve", "migrate"), strict=True):
        assert ("ExecStart", f"/opt/promptroom/bin/promptroom {command}") in unit(name)
        assert ("EnvironmentFile", "/etc/promptroom/promptroom.env") in unit(name)
        assert command in commands()
    assert "python3 -m venv /opt/promptroom" in OPERATIONS


@pytest.mark.parametrize("name", UNITS)
def test_the_units_are_hardened(name: str) -> None:
    assert {
        ("DynamicUser", "yes"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"),
        ("CapabilityBoundingSet", ""),
        ("SystemCallFilter", "@system-service"),
    } <= set(unit(name))


@pytest.mark.parametrize("name", UNITS[:2])
def test_a_server_under_systemd_is_stopped_gently_and_started_again(name: str) -> None:
    values = dict(unit(name))
    assert (values["KillSignal"], values["KillMode"], values["Restart"]) == ("SIGTERM", "mixed", "always")
    deadline = Settings.from_environment({"JWT_SECRET_KEY": KEY}).drain_deadline
    assert seconds(values["TimeoutStopSec"]) > deadline + 5
    assert int(values["LimitNOFILE"]) > MAX_CONNECTIONS
    assert values["StandardOutput"] == "null", "the sign-in link is no log line"


def test_the_template_differs_from_the_single_server_only_in_what_it_has_to() -> None:
    single, template = set(unit("promptroom.service")), set(unit("promptroom@.service"))
    assert {key for key, _ in single - template} == {"Description", "StateDirectory", "StateDirectoryMode"}
    assert template - single == {
        ("Description", "Promptroom node on port %i"),
        ("Environment", "HOST=127.0.0.1 PORT=%i"),
    }


def test_the_environment_file_names_settings_that_there_are() -> None:
    named = set(re.findall(r"^(?:# )?([A-Z_]+)=", text_of("promptroom.env"), re.MULTILINE))
    assert named <= NAMES
    assert {"DATABASE_URL", "REDIS_URL", "JWT_SECRET_KEY", "PUBLIC_URL", OF_UVICORN} <= named
    settings = Settings.from_environment(assigned("promptroom.env") | {"JWT_SECRET_KEY": KEY, "HOST": "0.0.0.0"})  # noqa: S104
    assert settings.redis_url
    assert OF_UVICORN not in assigned("promptroom.env"), "empty, it means something else than unset"


def test_whose_forwarded_headers_are_believed_is_uvicorns_own_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OF_UVICORN, "172.30.80.0/24")
    assert uvicorn.Config("server.app:create_app").forwarded_allow_ips == "172.30.80.0/24"


# --- load balancers ---------------------------------------------------------------------------------------------------

ADDRESS = "192.0.2.7"


def meets_by_in_haproxy(path: str) -> str:
    """What HAProxy hashes for a path, worked out from its configuration."""
    found = ADDRESS
    pattern = r"http-request set-var\(txn\.meeting\) path,lower,field\((\d+),/\) if \{ path_beg (\S+) \}"
    for field, beginning in re.findall(pattern, text_of("haproxy.cfg")):
        if path.startswith(beginning):
            found = path.lower().split("/")[int(field) - 1]
    return found


def meets_by_in_nginx(path: str) -> str:
    """What nginx hashes for a path, worked out from its configuration."""
    (pattern,) = re.findall(r"~\*(\S+) \$prompt;", text_of("nginx.conf"))
    found = re.match(pattern.replace("?<", "?P<"), path, re.IGNORECASE)
    return found["prompt"] if found else ADDRESS


def test_people_of_one_prompt_meet_on_one_node(tmp_path: Path) -> None:
    prompt = "0b6f7a52-6b1e-4a53-9d0e-2f6c4b1d8e11"
    of_prompts = [path for path in routes(tmp_path) if "{prompt_id}" in path]
    assert {"/ws/{prompt_id}", "/api/v1/prompts/{prompt_id}/live"} <= set(of_prompts)
    for path in of_prompts:
        asked = path.replace("{prompt_id}", prompt)
        assert meets_by_in_haproxy(asked) == prompt, path
        assert meets_by_in_nginx(asked) == prompt, path
    for path in ("/", "/api/v1/prompts", "/api/v1/auth/login", "/api/v1/me", f"/api/v1/members/{prompt}"):
        assert meets_by_in_haproxy(path) == ADDRESS
        assert meets_by_in_nginx(path) == ADDRESS
    assert lines_of("haproxy.cfg").count("balance hash var(txn.meeting)") == 2
    assert lines_of("haproxy.cfg").count("hash-type consistent") == 2
    assert "hash $meeting consistent;" in lines_of("nginx.conf")


def test_an_open_websocket_outlives_the_time_between_two_pings() -> None:
    patience = dict(re.findall(r"timeout (\S+) (\S+)", text_of("haproxy.cfg")))
    assert seconds(patience["tunnel"]) >= 2 * WEBSOCKET_PING_SECONDS
    for name in ("proxy_read_timeout", "proxy_send_timeout"):
        (value,) = re.findall(rf"{name} (\w+);", text_of("nginx.conf"))
        assert seconds(value) >= 2 * WEBSOCKET_PING_SECONDS
    assert {
        "proxy_http_version 1.1;",
        "proxy_set_header Upgrade $http_upgrade;",
        "proxy_set_header Connection $connection_header;",
        "proxy_set_header Host $http_host;",
        "proxy_buffering off;",
    } <= set(lines_of("nginx.conf"))


def test_logs_of_load_balancers_hold_no_query_strings() -> None:
    (line,) = [line for line in lines_of("haproxy.cfg") if line.startswith("log-format")]
    assert not {"%r", "%HU", "%HQ", "%{+Q}r"} & set(re.split(r'[\s"]+', line))
    assert "option httplog" not in text_of("haproxy.cfg")
    nginx = text_of("nginx.conf")
    (form,) = re.findall(r"log_format without_queries '([^']*)'", nginx)
    assert not {"$request", "$request_uri", "$args", "$query_string", "$http_referer"} & set(form.split())
    assert re.findall(r"access_log \S+ (\w+);", nginx) == ["without_queries"]
    assert re.findall(r"error_log \S+ (\w+);", nginx) == ["crit"]


def test_who_asks_is_what_the_load_balancer_says_and_monitoring_stays_inside() -> None:
    haproxy, nginx = lines_of("haproxy.cfg"), lines_of("nginx.conf")
    assert "http-request set-header X-Forwarded-For %[src]" in haproxy
    assert "http-request deny deny_status 404 if { path /metrics /readyz }" in haproxy
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in nginx
    assert "proxy_set_header X-Forwarded-Proto $scheme;" in nginx
    assert {f"location = {path} {{ return 404; }}" for path in ("/metrics", "/readyz")} <= set(nginx)
    (size,) = re.findall(r"client_max_body_size (\d+)m;", text_of("nginx.conf"))
    assert int(size) * 2**20 > MAX_BODY_BYTES


def test_nodes_are_asked_whether_they_are_ready_and_only_when_none_is_whether_they_are_alive() -> None:
    sections = re.split(r"^backend (\w+)$", text_of("haproxy.cfg"), flags=re.MULTILINE)[1:]
    backends = dict(zip(sections[::2], sections[1::2], strict=True))
    assert "http-check send meth GET uri /readyz" in backends["ready"]
    assert "http-check send meth GET uri /healthz" in backends["alive"]
    servers = {name: re.findall(r"^\s+server .*$", body, re.MULTILINE) for name, body in backends.items()}
    assert servers["ready"] == servers["alive"]
    assert "use_backend ready if { nbsrv(ready) gt 0 }" in lines_of("haproxy.cfg")
    assert "default_backend alive" in lines_of("haproxy.cfg")


def test_the_braces_of_nginx_are_closed_and_its_lines_end() -> None:
    lines = lines_of("nginx.conf")
    assert "".join(lines).count("{") == "".join(lines).count("}")
    assert not [line for line in lines if line[-1] not in "{};"]


# --- the database's and Prometheus's part -----------------------------------------------------------------------------


def test_the_connections_of_a_node_are_as_many_as_is_said() -> None:
    assert f"at least {POOL_CONNECTIONS + 1} for each node" in OPERATIONS
    assert f"Each node has {POOL_CONNECTIONS + 1} connections" in text_of("compose.yaml")


def rules() -> Iterator[dict[str, Any]]:
    document: Any = read_yaml(text_of("alerts.yml"))
    for group in document["groups"]:
        yield from group["rules"]


def samples() -> dict[str, Metric]:
    """Every name that a metric has on the page."""
    endings = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}
    return {f"{metric.name}{end}": metric for metric in REGISTRY.collect() for end in endings[metric.type]}


def test_alerts_name_only_metrics_labels_and_buckets_that_exist() -> None:
    known = samples()
    buckets = {
        sample.labels["le"] for sample in known["promptroom_commit_seconds_count"].samples if "le" in sample.labels
    }
    for rule in rules():
        expression = rule["expr"]
        names = set(re.findall(r"\b(?:promptroom|process)_\w+", expression))
        assert names <= known.keys(), rule["alert"]
        assert names or expression.startswith("up{"), rule["alert"]
        assert set(re.findall(r'le="([^"]+)"', expression)) <= buckets
        # The job and the instance are Prometheus's own.
        labels = set(re.findall(r"(\w+)=\"", expression)) | set(re.findall(r"\$labels\.(\w+)", str(rule)))
        assert labels <= {"job", "instance", "le", "method", "route", "status"}, rule["alert"]
    assert {"method", "route", "status"} == set(label_names("promptroom_http_requests"))


def label_names(metric: str) -> tuple[str, ...]:
    collector = REGISTRY._names_to_collectors[metric]  # noqa: SLF001 - a metric without samples shows its labels nowhere else
    return tuple(getattr(collector, "_labelnames", ()))


def test_every_alert_is_explained() -> None:
    named = [rule["alert"] for rule in rules()]
    assert len(named) == len(set(named))
    assert set(rows(OPERATIONS, "Alerts")) == set(named)
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert {"summary", "description"} <= rule["annotations"].keys()
    (most,) = [int(found) for rule in rules() for found in re.findall(r"promptroom_connections > (\d+)", rule["expr"])]
    assert 0.5 * MAX_CONNECTIONS < most < MAX_CONNECTIONS
