"""Channels of the config as adapters: what each needs to know, and which are skipped."""

from __future__ import annotations

from typing import Any

from adapters import build_channel
from adapters.services.settings import plain_settings
from core.ports import Channel
from gateway.config.channels import MaxSettings, TelegramSettings
from gateway.config.model import Config
from gateway.logs import logger

log = logger()


def build_channels(config: Config) -> dict[str, Channel]:
    """The channels that are on, not yet started. One whose token is empty is skipped with one clear line."""
    channels = {}
    for name, settings in config.channels.items():
        if not settings.on:
            log.info("channel_skipped", channel=name, kind=settings.kind, status="its token is empty")
            continue
        channels[name] = build_channel(settings.kind, name, channel_settings(config, name))
    return channels


def channel_settings(config: Config, name: str) -> dict[str, Any]:
    """The channel's own settings as plain values, with what all channels are told."""
    own: dict[str, Any] = plain_settings(config.channels[name])
    flood = config.flood
    return {
        **own,
        "public_url": config.http.public_url,
        "language": config.language,
        "flood": (flood.count, flood.seconds) if flood else None,
    }


def at_once(config: Config) -> dict[str, int]:
    """How many messages of a channel may be under way; channels that have no such setting are not bounded."""
    bounded = TelegramSettings | MaxSettings
    return {name: one.at_once for name, one in config.channels.items() if isinstance(one, bounded)}
