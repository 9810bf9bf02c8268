"""What the files of `deploy/` name, and what of it the program has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from dotenv import dotenv_values

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
ENV = DEPLOY / "frontline.env.example"
CONFIG = DEPLOY / "config.production.yaml"

# Variables that programs other than ours read.
FOREIGN = {
    "PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE",
    "POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD", "POSTGRES_INITDB_ARGS",
    "PIP_DISABLE_PIP_VERSION_CHECK", "PIP_NO_CACHE_DIR", "ROLES",
}  # fmt: skip


def documents(path: Path) -> list[dict[str, Any]]:
    """All documents of a YAML file."""
    return [it for it in yaml.safe_load_all(path.read_text("utf-8")) if it is not None]


def environment(**more: str) -> dict[str, str]:
    """The example of the environment, filled in."""
    return {name: value or "" for name, value in dotenv_values(ENV, interpolate=False).items()} | more


@cache
def asked_variables() -> frozenset[str]:
    """Variables that the production configuration asks for."""
    return frozenset(re.findall(r"\$\{(\w+)", CONFIG.read_text("utf-8")))


@cache
def known_variables() -> frozenset[str]:
    """Variables that the program reads: by the configuration, or by itself."""
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "gateway").rglob("*.py"))
    asked = re.findall(r'envvar="(\w+)"|environ(?:\.get\(|\[)"(\w+)"', sources)
    return asked_variables() | {name for pair in asked for name in pair if name}


@cache
def routes() -> frozenset[tuple[str, str]]:
    """(method, path) of everything the program serves with the production configuration."""
    from gateway.app import Gateway
    from gateway.config import load_config

    values = environment(DATABASE_URL="memory:", TELEGRAM_TOKEN="1:a", TELEGRAM_SECRET="s", REDIS_URL="")
    config, findings = load_config(CONFIG, values)
    assert config is not None, findings
    gateway = Gateway(config)
    served = [*gateway._own_routes(), *(route for role in gateway.roles for route in role.routes())]
    return frozenset((method, path) for method, path, _ in served)


def is_served(path: str) -> bool:
    """Whether a GET or POST of a path, or of something below it when it ends with a slash, is answered."""
    return any(it == path or (path.endswith("/") and it.startswith(path)) for _, it in routes())


def unserved(prefixes: Iterable[str]) -> set[str]:
    """Paths for the world that none of the prefixes lets through. Health and metrics are for the inside."""
    inside = {"/healthz", "/readyz", "/metrics"}
    return {path for _, path in routes() if path not in inside and not path.startswith(tuple(prefixes))}


def walk(value: Any) -> Iterator[dict[str, Any]]:
    """All mappings within a document, itself first."""
    if isinstance(value, dict):
        yield value
        for it in value.values():
            yield from walk(it)
    elif isinstance(value, list):
        for it in value:
            yield from walk(it)


def command_of(words: list[str]) -> tuple[str, list[str]]:
    """The subcommand and the roles of a command line of ours."""
    roles = words[words.index("--roles") + 1].split(",") if "--roles" in words else []
    return words[0], roles
