"""Channels of the config as adapters: what each needs to know, and which are skipped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import SecretStr

from adapters import build_channel
from core.ports import Channel
from gateway.config.model import Config
from gateway.config.values import Rate
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
    own = config.channels[name]
    told = {key: open_value(getattr(own, key)) for key in type(own).model_fields}
    return {
        **told,
        "public_url": config.http.public_url,
        "files_root": str(config.storage.files),
        "language": config.language,
        "flood": open_value(config.flood),
    }


def open_value(value: Any) -> Any:
    """Secrets, rates and nested settings as the plain values adapters take."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Rate):
        return (value.count, value.seconds)
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "model_fields"):
        return {key: open_value(getattr(value, key)) for key in type(value).model_fields}
    return value
