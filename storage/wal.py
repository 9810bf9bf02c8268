"""The log of SQLite that is written over again and again: its next pages are asked for before they are needed.

A log that is begun anew at its full length takes a commit half the time of one that grows: the file system notes nothing.
But its frames are no whole pages, so the system must read back each page that it has meanwhile dropped from memory, one by
one, while the client waits. Asked ahead it reads them in large pieces, and nobody waits.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

# https://www.sqlite.org/walformat.html#the_wal_file_format: the length of the head, where its salts are; of a frame's head, where
# they are there. A frame belongs to the log as it is now when it has the salts of the head.
HEAD, SALTS_OF_HEAD = 32, 16
FRAME_HEAD, SALTS_OF_FRAME = 24, 8
SALTS = 8

STEP = 128  # frames between two looks at how far the log has come; half a MB
AHEAD = 2 << 20  # bytes that are asked for before they are written; a group of a busy gateway has about one MB
PIECE = 128 << 10  # bytes: Linux reads no more for one question than its readahead, 128 KiB unless set otherwise
FORGOTTEN = 1.0  # seconds of rest after which the system may have dropped what was asked for

CAN_ASK = hasattr(os, "posix_fadvise")  # Linux has it, macOS and Windows do not: there nothing is asked


class Log:
    """Beside the file of one database, for its only writer. Only files without locks of SQLite's are opened: closing one that has
    them would let them go (https://www.sqlite.org/howtocorrupt.html, 2.2)."""

    def __init__(self, path: Path, page: int) -> None:
        """`page` is the length of a page of the database in bytes."""
        self._path = path
        self._frame = FRAME_HEAD + page
        self._file: int | None = None
        self._salts = b""
        self._next = 0  # the frame whose writing means a step
        self._over = False  # a checkpoint emptied it: nobody has written since
        self._asked = 0  # bytes from the beginning up to which pages were asked for
        self._moved = 0.0  # when we looked last, on the clock that only runs forward

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def ready(self) -> None:
        """Before something is written: what comes next in the log is in memory, or on its way."""
        if not CAN_ASK:
            return
        with suppress(OSError):  # no log yet, or a sick disk: who writes will hear of it
            if self._file is None:
                self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            self._follow(self._file)

    def anew(self) -> None:
        """After a checkpoint: the next frame is the first again. Where somebody still reads the old ones, the log grows: then
        there is nothing to read back."""
        self._over, self._next, self._asked = True, 0, 0
        if self._file is not None:
            with suppress(OSError):
                self._ask_up_to(self._file, HEAD + AHEAD)

    def _follow(self, file: int) -> None:
        now = time.monotonic()
        if now - self._moved > FORGOTTEN:
            self._asked = 0
        self._moved = now
        salts = os.pread(file, SALTS, SALTS_OF_HEAD)
        if salts != self._salts:
            self._salts, self._over, self._next, self._asked = salts, False, 0, 0
        while not self._over and self._is_written(file, self._next):
            self._next += STEP
        self._ask_up_to(file, self._place(self._next) + AHEAD)

    def _is_written(self, file: int, frame: int) -> bool:
        return bool(self._salts) and os.pread(file, SALTS, self._place(frame) + SALTS_OF_FRAME) == self._salts

    def _ask_up_to(self, file: int, end: int) -> None:
        start = max(self._asked, self._place(self._next - STEP), 0)
        for piece in range(start, end, PIECE):
            os.posix_fadvise(file, piece, PIECE, os.POSIX_FADV_WILLNEED)
        self._asked = max(start, end)

    def _place(self, frame: int) -> int:
        return HEAD + frame * self._frame
