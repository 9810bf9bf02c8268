"""Files: their rows in the store, and the port behind which their bytes are kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol

import msgspec

from core.normal import clean

NAME_LIMIT = 120  # characters, the ending among them …
NAME_BYTES = 210  # … and bytes before the ending, in UTF-8: file systems take 255 in all


class StoredFile(msgspec.Struct, omit_defaults=True):
    """A file of ours: `sha256` is empty until its bytes are kept (`Files`). `error` says to people why they never will be."""

    id: str
    conversation: int
    name: str
    mime: str
    size: int
    kind: str = "file"
    channel: str = ""
    ref: str = ""
    sha256: str = ""
    error: str = ""


class FileLink(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file as another system is told of it. `url` may be fetched for a while without asking who comes; `note` says why
    there are no bytes."""

    id: str
    name: str = ""
    mime: str = ""
    size: int = 0
    url: str = ""
    note: str = ""


def parse_name(name: str) -> str:
    """A file name that is only a name: no folders, no control or direction-turning characters, not hidden, not endless.
    The ending, if there is one, stays."""
    last = clean(name.encode("utf-8", "replace").decode()).replace("\\", "/").rsplit("/", 1)[-1]
    flat = re.sub(r"\s+", " ", last).strip(" .")
    stem, dot, suffix = flat.rpartition(".")
    ending = f".{suffix}" if dot and len(suffix) <= 10 else ""
    stem = stem if ending else flat
    return f"{_cut(stem, NAME_LIMIT - len(ending))}{ending}" or "file"


def is_trap(name: str) -> bool:
    """Whether a name tries to be more than one: a path, hidden or direction-turning characters, more bytes than any file
    system takes."""
    return any(sign in name for sign in "/\\") or clean(name) != name or len(name.encode("utf-8", "replace")) > 255


def _cut(text: str, limit: int) -> str:
    """At most so many characters, and bytes that leave room for the ending."""
    return text[:limit].encode()[:NAME_BYTES].decode("utf-8", "ignore").strip(" .")


class Files(Protocol):
    """Bytes of files by content hash (SHA-256, 64 hex digits); the same bytes twice are one file.

    Every coroutine raises `StorageFull` when the place cannot be reached or takes no more: then ask again later.
    """

    staging: Path
    """The folder for unfinished uploads, on the disk that `adopt` renames on. What lies there a day is swept away."""

    async def keep(self, data: bytes) -> str:
        """The hash; when it is returned, the bytes outlive a crash."""
        ...

    async def adopt(self, path: Path, sha256: str) -> None:
        """A finished file in `staging` becomes the file with that hash; the path is gone afterwards."""
        ...

    async def path(self, sha256: str) -> Path:
        """A copy on this machine's disk, to be read at once. Raises FileNotFoundError."""
        ...

    async def read(self, sha256: str) -> bytes:
        """The bytes. Raises FileNotFoundError."""
        ...

    async def mime(self, sha256: str, name: str) -> str:
        """The type of a kept file by its bytes, a picture only if it can be opened. Raises FileNotFoundError."""
        ...

    async def thumbnail(self, sha256: str) -> Path:
        """A small WebP of a picture, of its pixels alone. Raises FileNotFoundError when there is no such file, or it is no
        picture that can be opened safely."""
        ...

    def link(self, file_id: str, seconds: float) -> str:
        """A signed address `<public_url>/files/<id>?…` that opens without any other secret for so many seconds; "" without
        a public address. Raises `StorageFull` while the key that signs cannot be read."""
        ...

    def near_link(self, file_id: str, seconds: float) -> str:
        """As `link`, but an address on the gateway itself, `/files/<id>?…`, for those who speak with it already. It opens for up
        to an hour longer, and is the same for all who ask within an hour."""
        ...

    def opens(self, file_id: str, until: str, signature: str) -> bool:
        """Whether a link was signed here for this file and has not ended; compared in constant time."""
        ...
