"""Settings of one web chat channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What `config.yaml` and the gateway say about the channel.

    `origins` are the sites that may embed the chat (`https://shop.example`; `*` is any site), besides our own. `public_url`
    is where the world reaches us when a proxy in front changes the Host header. `flood` is (messages, seconds) for one
    client, None switches it off. `color` is `#rrggbb` or empty. `language` is the deployment's, `page_language` the one that
    stands above the visitor's browser; empty: none does.
    """

    title: str = ""
    greeting: str = ""
    language: str = "en"
    origins: tuple[str, ...] = ()
    public_url: str = ""
    color: str = ""
    theme: Literal["auto", "light", "dark"] = "auto"
    page_language: str = ""
    file_size: int = 20 * 1024**2  # bytes of one file
    quota_files: int = 30  # files of one client an hour …
    quota_bytes: int = 200 * 1024**2  # … and their bytes together
    neighbours: int = 10  # clients of one address may bring so many times that, together
    flood: tuple[float, float] | None = (20, 10)
    sessions: tuple[float, float] | None = (120, 60)
    hello_timeout: float = 10.0  # seconds a socket may stay silent before it says who it is


def parse_settings(values: Mapping[str, Any]) -> Settings:
    """Settings from a mapping; names it does not know are left alone. Raises ValueError with the place of the mistake."""
    try:
        return msgspec.convert(dict(values), Settings)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
