"""Services that flows may call, one file per kind. A new kind is a file here and a line in the tuple."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adapters.services.http import Http
from adapters.services.settings import plain_settings
from adapters.services.table import Table
from adapters.services.tickets import Tickets
from core.deployment import CallInfo
from core.ports import Service, Store

KINDS: tuple[type[Http | Table | Tickets], ...] = (Http, Table, Tickets)
_BUILD: dict[str, Callable[[Mapping[str, Any], Store], Service]] = {kind.kind: kind.build for kind in KINDS}
_INFO: dict[str, Callable[[Mapping[str, Any]], dict[str, CallInfo]]] = {kind.kind: kind.info for kind in KINDS}

__all__ = ["KINDS", "build_service", "call_info"]


def build_service(kind: str, settings: Any, store: Store) -> Service:
    """The service of a kind. `settings`: a mapping or a pydantic model; raises ValueError with a clear text."""
    if kind not in _BUILD:
        raise _unknown(kind)
    return _BUILD[kind](plain_settings(settings), store)


def call_info(settings: Any) -> dict[str, CallInfo]:
    """The calls that flows may name, with what each needs and gives. Raises ValueError."""
    plain = plain_settings(settings)
    kind = str(plain.get("kind", "http"))
    if kind not in _INFO:
        raise _unknown(kind)
    return _INFO[kind](plain)


def _unknown(kind: str) -> ValueError:
    return ValueError(f"unknown kind of service {kind!r}; known: {', '.join(sorted(_BUILD))}")
