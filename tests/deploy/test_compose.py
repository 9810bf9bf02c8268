"""The compose file: valid by the official schema, and true to the program."""

from __future__ import annotations

import json
import re
from typing import Any

from jsonschema import Draft202012Validator

from gateway.app import STOP_SECONDS
from gateway.cli import COMMANDS
from gateway.roles import ROLES
from tests.deploy.reading import DEPLOY, FOREIGN, command_of, documents, environment

(COMPOSE,) = documents(DEPLOY / "compose.yaml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: it for name, it in SERVICES.items() if it["image"].startswith("frontline:")}


def test_fits_the_official_schema() -> None:
    schema = json.loads((DEPLOY.parent / "tests/schemas/compose-spec.trimmed.json").read_text("utf-8"))
    errors = [
        f"{error.json_path}: {error.message[:200]}" for error in Draft202012Validator(schema).iter_errors(COMPOSE)
    ]
    assert errors == []


def test_commands_and_roles_exist() -> None:
    asked = [command_of(it["command"]) for it in OURS.values()]
    assert {command for command, _ in asked} <= {name for name, _ in COMMANDS}
    assert sorted(role for _, roles in asked for role in roles) == sorted(ROLES)
    assert SERVICES["worker"]["deploy"] == {"replicas": 2}


def test_nothing_serves_before_the_tables_are_made() -> None:
    for name, it in OURS.items():
        assert it["depends_on"]["postgres"] == {"condition": "service_healthy"}
        if name != "migrate":
            assert it["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert SERVICES["migrate"]["restart"] == "no"


def test_a_stop_has_time() -> None:
    assert all(int(it["stop_grace_period"].removesuffix("s")) > STOP_SECONDS + 2 for it in OURS.values())


def test_images_have_versions() -> None:
    for it in SERVICES.values():
        assert re.search(r":[\w.-]+$", it["image"]), it["image"]
        assert not it["image"].endswith(":latest")


def test_what_it_waits_for_tells_its_health() -> None:
    waited = {to for it in SERVICES.values() for to, how in it.get("depends_on", {}).items()
              if how["condition"] == "service_healthy"}  # fmt: skip
    assert waited
    assert all("test" in SERVICES[name]["healthcheck"] for name in waited)


def test_variables_exist() -> None:
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    assert set(re.findall(r"(?<!\$)\$\{(\w+)", text)) <= environment().keys()
    assert {name for it in SERVICES.values() for name in it.get("environment", {})} <= FOREIGN
    assert {file for it in OURS.values() for file in it["env_file"]} == {"frontline.env"}


def test_nothing_but_the_proxy_reaches_it() -> None:
    """Ports of the host are bound to its own address."""
    ports = [port for it in SERVICES.values() for port in it.get("ports", [])]
    assert ports == ["127.0.0.1:8080:8080"]


def test_files_it_names_exist() -> None:
    for it in SERVICES.values():
        build = it.get("build", {})
        if "dockerfile" in build:
            assert (DEPLOY / build["context"] / build["dockerfile"]).is_file()
        for volume in it.get("volumes", []):
            source = volume.partition(":")[0]
            assert (DEPLOY / source).is_file() if source.startswith(".") else source in COMPOSE["volumes"]


def test_files_are_kept_where_the_image_keeps_them() -> None:
    image = (DEPLOY / "Containerfile").read_text("utf-8")
    assert {it["volumes"][0] for it in OURS.values()} == {"files:/srv/frontline/var"}
    assert "VOLUME /srv/frontline/var" in image
    assert "FILES_DIR=/srv/frontline/var/files" in image


def test_the_database_of_the_example_is_the_one_it_makes() -> None:
    made = SERVICES["postgres"]["environment"]
    assert environment()["DATABASE_URL"] == (
        f"postgresql://{made['POSTGRES_USER']}:{environment()['POSTGRES_PASSWORD']}@postgres:5432/{made['POSTGRES_DB']}"
    )


def test_redis_keeps_nothing() -> None:
    """Hints only: no disk, and the oldest goes when it is full."""
    command = SERVICES["redis"]["command"]
    assert command[command.index("--save") + 1] == ""
    assert command[command.index("--appendonly") + 1] == "no"
    assert command[command.index("--maxmemory-policy") + 1] == "allkeys-lru"
