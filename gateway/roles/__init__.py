"""Roles: what a process of the gateway does. One process may do all; on a shared store each may run in many processes."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.app import Gateway
    from gateway.roles.role import Quiet

# Each is the class `Role` of `gateway/roles/<name>.py`.
ROLES: tuple[str, ...] = ("intake", "worker", "sender", "console", "clock")


def build_roles(names: Iterable[str], house: Gateway) -> list[Quiet]:
    """The named roles over the parts of a gateway, not started."""
    wanted = frozenset(names)
    return [import_module(f"gateway.roles.{name}").Role(house) for name in ROLES if name in wanted]
