"""Where the bytes of files are kept: a folder of this machine."""

from __future__ import annotations

from pathlib import Path

from storage.files.kept import Kept
from storage.files.local import LocalFiles

__all__ = ["Kept", "open_files"]


def open_files(place: Path, public_url: str = "") -> Kept:
    """The files at a place, not yet opened. `public_url` is where the world reaches this deployment, for links."""
    return LocalFiles(place, public_url)
