"""What is sent, noted before it is marked: a line in a file outlives the death of the process, though not of the machine.

A mark waits for its group and for the disk. Between the platform's answer and the commit a killed process would leave a
message in doubt, and with many under way, many. The note is one `write` to a file, so only calls without an answer stay in doubt.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from core.outbox import OutboxRow, Sent, Settled

LARGEST = 64 << 10  # bytes: a longer journal is emptied as soon as all its lines are marked


class Note(msgspec.Struct, array_like=True, frozen=True):
    """A sent row. `created_at` tells it from a row that got the same number in a restored copy of the database."""

    id: int
    created_at: float
    platform_ids: tuple[str, ...]


class Journal:
    """Notes of one store. Raises OSError at `open` when the file cannot be had."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1
        self._size = 0
        self._unmarked: set[int] = set()

    def open(self) -> list[Note]:
        """The notes of the last process, oldest first; a line that was cut short is no note."""
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        content = self._path.read_bytes()
        self._size = len(content)
        return [note for line in content.split(b"\n") if (note := _read(line)) is not None]

    def close(self) -> None:
        """A second call does nothing."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def note(self, row: OutboxRow, sent: Sent) -> bool:
        """Whether the note is written; not on a full disk: then only the mark counts."""
        # The line feed stands in front: half a line before it, from a full disk, spoils nothing.
        line = b"\n" + _encode(Note(row.id, row.created_at, sent.platform_ids))
        try:
            written = os.write(self._file, line)
        except OSError:
            return False
        self._size += written
        if written < len(line):
            return False
        self._unmarked.add(row.id)
        return True

    def holds(self, settled: Sequence[Settled]) -> bool:
        """Whether all of these are noted."""
        return all(it.row.id in self._unmarked for it in settled)

    def marked(self, ids: Iterable[int]) -> None:
        """These rows are marked in the database, on the disk."""
        self._unmarked.difference_update(ids)
        if self._size > LARGEST and not self._unmarked:
            self.empty()

    def empty(self) -> None:
        """Forget all notes: every row in them is marked."""
        os.ftruncate(self._file, 0)
        self._size = 0


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Note).decode


def _read(line: bytes) -> Note | None:
    try:
        return _decode(line)
    except msgspec.DecodeError:
        return None


def fits(note: Note, stored: Mapping[str, object]) -> bool:
    """Whether the note speaks of this row of the outbox."""
    return note.created_at == stored["created_at"]
