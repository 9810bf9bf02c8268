"""A bounded folder of what can be had again: copies from a bucket, thumbnails. The least recently used goes first."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from storage.files.disk import write_part

SPARED_SECONDS = 60.0  # whoever was just told a path needs a moment to open it
LEFT = 0.9  # of the bound after an eviction, so that not every new file begins another


class Cache:
    """Files by name under `folder`, together at most `limit` bytes; several processes may share it.

    All methods are plain work with the disk: call them in a thread. They raise OSError.
    """

    def __init__(self, folder: Path, limit: int, clock: Callable[[], float] = time.time) -> None:
        self.staging = folder / ".staging"
        self._folder, self._limit, self._clock = folder, limit, clock
        self._added = limit  # bytes since the last look: the first addition looks

    def find(self, name: str) -> Path | None:
        """The file, if it is here; from now on it counts as just used."""
        place = self._place(name)
        try:
            os.utime(place, (self._clock(),) * 2)
        except FileNotFoundError:
            return None
        return place

    def take(self, part: Path, name: str) -> Path:
        """A finished file becomes the one with this name; others go when there is no room."""
        place = self._place(name)
        size = part.stat().st_size
        place.parent.mkdir(parents=True, exist_ok=True)
        os.utime(part, (self._clock(),) * 2)
        part.replace(place)
        self._added += size
        if self._added >= self._limit * (1 - LEFT):
            self.evict()
        return place

    def write(self, name: str, data: bytes) -> Path:
        """The bytes as the file with this name."""
        return self.take(write_part(self.staging, data), name)

    def evict(self) -> None:
        """Removes the least recently used until what is left fits."""
        found = sorted(self._all(), reverse=True)
        total, horizon = sum(size for _, size, _ in found), self._clock() - SPARED_SECONDS
        self._added = 0
        while total > self._limit * LEFT and found and found[-1][0] < horizon:
            _, size, place = found.pop()
            place.unlink(missing_ok=True)
            total -= size
        self._added = max(0, total - int(self._limit * LEFT))

    def _place(self, name: str) -> Path:
        return self._folder / name[:2] / name

    def _all(self) -> list[tuple[float, int, Path]]:
        """When last used, size, place; what another process removes meanwhile is left out."""
        found = []
        for folder in self._folder.glob("[0-9a-f][0-9a-f]"):
            for entry in os.scandir(folder):
                try:
                    stat = entry.stat()
                except FileNotFoundError:
                    continue
                found.append((stat.st_mtime, stat.st_size, Path(entry.path)))
        return found
