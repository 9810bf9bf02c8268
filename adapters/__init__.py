"""Adapters: messengers, outer desks and services. Here is the list of channel kinds; nothing heavy is imported with it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.ports import Channel

# kind → module:class. A class is built with (name, settings); its library is imported only when such a channel is on.
CHANNELS: tuple[tuple[str, str], ...] = (
    ("telegram", "adapters.telegram.channel:Telegram"),
    ("vk", "adapters.vk.channel:Vk"),
    ("max", "adapters.max.channel:Max"),
    ("web", "adapters.web.channel:Web"),
    ("api", "adapters.api.channel:Api"),
)


def build_channel(kind: str, name: str, settings: Mapping[str, Any]) -> Channel:
    """The channel `name` of a kind, not yet started; raises ValueError for an unknown kind or settings that cannot work."""
    module, _, attribute = _place(kind).partition(":")
    channel: Channel = getattr(import_module(module), attribute)(name, settings)
    return channel


def part_of(kind: str, part: str) -> ModuleType:
    """The module of that name in the folder of a kind, as `capabilities` or `examine`. Raises ValueError for an unknown kind."""
    package = _place(kind).rpartition(".")[0]
    return import_module(f"{package}.{part}")


def _place(kind: str) -> str:
    known = dict(CHANNELS)
    if kind not in known:
        raise ValueError(f"unknown channel kind {kind!r}; known: {', '.join(sorted(known))}")
    return known[kind]
