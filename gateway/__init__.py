"""The roof: configuration, wiring, intake, worker, outbox, clock, HTTP server, command line."""

from __future__ import annotations

from importlib import metadata


def version() -> str:
    """The installed version of frontline; `0` in a tree that was never installed."""
    try:
        return metadata.version("frontline")
    except metadata.PackageNotFoundError:
        return "0"
