"""`${NAME}` and `${NAME:-default}` in a configuration, from the environment and a `.env` file beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

PLACE = re.compile(r"\$\{([^}:]*)(:-([^}]*))?\}")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read_environment(config: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The `.env` file beside `config` under the process's environment: the environment wins."""
    beside = config.parent / ".env"
    stored = dotenv_values(beside, interpolate=False, encoding="utf-8") if beside.is_file() else {}
    return {name: value for name, value in stored.items() if value is not None} | dict(environ)


def fill(text: str, environment: Mapping[str, str]) -> tuple[str, list[str]]:
    """The text with its places filled, and the names that are not set and have no default."""
    missing: list[str] = []

    def value(found: re.Match[str]) -> str:
        name, default = found[1], found[3]
        if not NAME.fullmatch(name):
            missing.append(name)
            return ""
        set_to = environment.get(name, "")
        if set_to or default is not None:
            return set_to or default
        if name not in environment:
            missing.append(name)
        return ""

    return PLACE.sub(value, text), missing
