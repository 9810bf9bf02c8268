"""The control socket: commands reach the store through the process that owns it, JSON lines over a local socket."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from core.ports import StorageFull
from gateway.config.model import Config

Answer = Callable[..., Awaitable[Any]]
# An address of a unix socket holds 108 bytes on Linux, 104 elsewhere.
LONGEST_ADDRESS = 100
# The longest line: a conversation's whole history is one answer.
LONGEST_LINE = 1 << 28
encode = msgspec.json.encode
decode = msgspec.json.decode


class NotRunning(Exception):
    """No process serves this store."""


class Refused(Exception):
    """The command could not be done; the text says why, for a person."""


def socket_path(config: Config) -> Path | None:
    """Where the owner of the store listens: `<database>.sock`; None for a store in memory.

    A path too long for a socket is replaced by one in a private folder of the system's temporary one.
    """
    scheme, _, path = config.storage.url.partition(":///")
    if scheme != "sqlite":
        return None
    beside = Path(f"{path}.sock")
    if len(os.fsencode(beside)) <= LONGEST_ADDRESS:
        return beside
    name = hashlib.sha256(os.fsencode(beside)).hexdigest()[:16]
    return private_folder() / f"{name}.sock"


def private_folder() -> Path:
    """A folder of this user among the temporary ones."""
    return Path(tempfile.gettempdir()) / f"frontline-{os.getuid()}"


class ControlServer:
    """Answers commands while the gateway runs. `answers` are coroutine functions by name; their results must be JSON."""

    def __init__(self, path: Path, answers: Mapping[str, Answer]) -> None:
        self._path, self._answers = path, answers
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; a socket left by a killed process is replaced. Only the owner of the files may connect (0600).

        Raises PermissionError when its private folder is not ours.
        """
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._path.parent == private_folder():
            require_own(self._path.parent)
        self._path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._serve, str(self._path), limit=LONGEST_LINE)
        finally:
            os.umask(before)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(await self._answer(line) + b"\n")
                await writer.drain()
        except ConnectionError:
            return  # the one who asked has gone: nothing to tell
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> bytes:
        try:
            asked = decode(line, type=dict[str, Any])
            answer = self._answers.get(asked.get("do", ""))
            if answer is None:
                return encode({"refused": f"unknown command {asked.get('do')!r}"})
            return encode({"ok": await answer(**asked.get("with", {}))})
        except (Refused, StorageFull, ValueError, TypeError, OSError) as error:
            return encode({"refused": str(error) or type(error).__name__})


def require_own(folder: Path) -> None:
    """Anybody may have made the folder before us, and could replace the socket in it then. Raises PermissionError."""
    found = folder.stat()
    if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise PermissionError(f"the folder {folder} belongs to others: commands would not be safe there")


async def ask(path: Path, do: str, **params: Any) -> Any:
    """One command to the running gateway. Raises NotRunning when nobody listens, Refused with the reason."""
    try:
        reader, writer = await asyncio.open_unix_connection(str(path), limit=LONGEST_LINE)
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        raise NotRunning from None
    try:
        writer.write(encode({"do": do, "with": params}) + b"\n")
        await writer.drain()
        line = await reader.readline()
    finally:
        writer.close()
    if not line:
        raise NotRunning
    answer = decode(line)
    if "refused" in answer:
        raise Refused(answer["refused"])
    return answer["ok"]
