"""One process per database file: an exclusive lock beside it that dies with its owner."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class StoreBusy(Exception):
    """Another process works with this database. `pid` is its process id, 0 when it did not say."""

    def __init__(self, path: Path, pid: int) -> None:
        super().__init__(f"{path} is in use by process {pid or '?'}")
        self.path = path
        self.pid = pid


class FileLock:
    """`<path>.lock`, held by flock: the kernel frees it however the process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = path.with_name(path.name + ".lock")
        self._handle = -1

    def take(self) -> None:
        """Raises `StoreBusy` when somebody else holds it."""
        handle = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            said = os.read(handle, 32).strip()
            os.close(handle)
            raise StoreBusy(self._path, int(said) if said.isdigit() else 0) from error
        # The space may be missing on a full disk: the lock holds without the number, too.
        try:
            os.ftruncate(handle, 0)
            os.write(handle, str(os.getpid()).encode())
        except OSError:
            pass
        self._handle = handle

    def free(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
