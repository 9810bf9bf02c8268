"""The store of `memory:`: a whole SQLite store in a folder of its own that goes when the store closes."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path

from storage.sqlite import SQLiteStore


class FleetingStore(SQLiteStore):
    """Everything that `SQLiteStore` does, for as long as the process wants it. Nobody else may read its folder."""

    def __init__(self, clock: Callable[[], float], outer_desks: frozenset[str] = frozenset()) -> None:
        self._folder = Path(tempfile.gettempdir()) / f"frontline-{secrets.token_hex(8)}"
        super().__init__(self._folder / "memory.db", clock, outer_desks)
        # A process that ends without closing its store leaves nothing behind either; one that is killed may.
        self._swept = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)

    async def open(self) -> None:
        self._folder.mkdir(mode=0o700)
        try:
            await super().open()
        except BaseException:
            self._remove()
            raise

    async def close(self) -> None:
        try:
            await super().close()
        finally:
            self._remove()

    def _remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
