"""Desks in other systems, one file per kind. The built-in desk is rows of the store and needs no adapter."""

from __future__ import annotations

from typing import Any

from adapters.desks.webhook import Change, Webhook, parse_status, signature, verify_signature
from adapters.services.settings import plain_settings
from core.ports import OuterDesk

KINDS: tuple[type[Webhook], ...] = (Webhook,)

__all__ = ["KINDS", "Change", "build_desk", "parse_status", "signature", "verify_signature"]


def build_desk(kind: str, settings: Any) -> OuterDesk:
    """The desk of a kind. `settings`: a mapping or a pydantic model; raises ValueError with a clear text."""
    for desk in KINDS:
        if desk.kind == kind:
            return desk.build(plain_settings(settings))
    raise ValueError(f"unknown kind of desk {kind!r}; known: {', '.join(desk.kind for desk in KINDS)}")
