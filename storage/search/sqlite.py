"""Search for SQLite: FTS5 in a file of its own, beside the store's.

Writing there holds up neither the store nor its one writer, and the file is derived: one that is missing, of another
installation or broken is made anew. Who asks sees it together with the store's committed data.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Text, bindparam, column, select, table

from core.access import Sight
from core.ports import StorageFull
from storage.codec import encode
from storage.driver import Driver
from storage.search.asking import ask, build_questions, documents_table, hit_of
from storage.search.differing import Indexed, differing
from storage.search.from_sqlite import SQLiteSource
from storage.search.port import Hit, Key, Rest, Wanted, no_rest
from storage.search.reading import Read, read
from storage.search.words import asked, exact_of, forms_of, words_of

T = TypeVar("T")
NICE = 10  # a tenth of the core against a loop that is busy all the time
SHAPE = 2  # of the file; another number makes it anew
MAKE = f"""
CREATE TABLE documents (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, home INTEGER NOT NULL, number INTEGER NOT NULL,
 at REAL NOT NULL, text TEXT NOT NULL, UNIQUE (kind, home, number));
CREATE VIRTUAL TABLE words USING fts5(text, exact, tokenize = "unicode61 remove_diacritics 0", prefix = '2 3',
 detail = column);
CREATE TABLE homes (home INTEGER PRIMARY KEY, version INTEGER NOT NULL);
CREATE TABLE origin (instance TEXT NOT NULL);
PRAGMA user_version = {SHAPE};
"""
INDEXED = (
    "SELECT d.kind, d.home, d.number, d.id, d.at, d.text FROM json_each(?) AS k CROSS JOIN documents AS d ON"
    " d.kind = json_extract(k.value, '$[0]') AND d.home = json_extract(k.value, '$[1]')"
    " AND d.number = json_extract(k.value, '$[2]')"
)
KEEP = (
    "INSERT INTO documents (kind, home, number, at, text) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (kind, home, number) DO UPDATE SET at = excluded.at, text = excluded.text RETURNING id"
)
KNOWN = "SELECT coalesce(max(number), 0) FROM documents WHERE kind = 'message' AND home = ?"
CHANGED = "SELECT number, updated_at FROM tickets WHERE updated_at >= ? ORDER BY updated_at, number LIMIT ?"
CLIENT_OF = "SELECT client FROM conversations WHERE id = ?"
STALE = (
    "SELECT c.id, h.version IS NOT c.version FROM conversations c LEFT JOIN homes h ON h.home = c.id"
    " WHERE c.id > ? ORDER BY c.id LIMIT ?"
)
DOCS = documents_table("documents")
_words = table("words", column("rowid"), column("words"))
_match = _words.c.words.op("MATCH")(bindparam("match", type_=Text))
QUESTIONS = build_questions(DOCS, DOCS.c.id.in_(select(_words.c.rowid).where(_match)))


class SQLiteSearch:
    """`storage.search.port.Search` beside the file of a store. One thread writes, one asks."""

    unit = 4  # few at once: the thread competes with the loop for the interpreter

    def __init__(self, store: Path, doubtful: bool = False) -> None:
        """`doubtful`: the last process did not close the store, so the file may be broken."""
        self._store, self._doubtful = store, doubtful
        self.path = store.with_name(store.name + ".search")
        self._index = ThreadPoolExecutor(1, "frontline-index", initializer=_step_back)
        self._ask = ThreadPoolExecutor(1, "frontline-search")
        self._opened = False
        self.anew = 0

    # --- life ---

    async def open(self) -> None:
        """The store is open by now. Raises `StorageFull`."""
        await self._run(self._index, self._make)
        self._opened = True

    def _make(self) -> None:
        """Take the file, or make it anew."""
        self._source = _connect(self._store)
        self._source.execute("PRAGMA query_only = 1")
        try:
            self._writing = self._take()
        except sqlite3.DatabaseError:
            self._forget()
            self._writing = self._take()
        self._asking = self._connect_to_ask()

    def _connect_to_ask(self) -> sqlite3.Connection:
        made = _connect(self.path)
        made.execute("ATTACH ? AS main_store", (str(self._store),))
        made.execute("PRAGMA query_only = 1")
        return made

    def _take(self) -> sqlite3.Connection:
        made, instance = _connect_to_write(self.path), self._instance()
        if self._fits(made, instance):
            return made
        made.close()
        return self._take_anew()

    def _take_anew(self) -> sqlite3.Connection:
        self._forget()
        made = _connect_to_write(self.path)
        made.executescript(MAKE)
        made.execute("INSERT INTO origin VALUES (?)", (self._instance(),))
        return made

    def _fits(self, made: sqlite3.Connection, instance: str) -> bool:
        """Whether the file is whole, of this shape and of this installation."""
        if made.execute("PRAGMA user_version").fetchone()[0] != SHAPE:
            return False
        if self._doubtful and made.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            return False
        return bool(made.execute("SELECT instance FROM origin").fetchall() == [(instance,)])

    def _instance(self) -> str:
        row = self._source.execute("SELECT value FROM meta WHERE name = 'instance'").fetchone()
        return row[0] if row else ""

    def _forget(self) -> None:
        for end in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + end).unlink(missing_ok=True)

    async def close(self) -> None:
        """Before the store closes. A second call does nothing."""
        if self._opened:
            self._opened = False
            await self._run(self._ask, self._asking.close)
            await self._run(self._index, self._writing.close)
            await self._run(self._index, self._source.close)
        self._index.shutdown()
        self._ask.shutdown()

    async def _run(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, work)
        except sqlite3.Error as error:
            if self._opened and _is_broken(error):
                await self._heal()
            raise StorageFull(f"search: {error}") from error

    async def _heal(self) -> None:
        """What is broken is made anew, if it is this file and not the store's: who asks meanwhile finds nothing."""
        loop = asyncio.get_running_loop()
        with suppress(sqlite3.Error):  # the disk is full or gone: the next one who meets it tries again
            if await loop.run_in_executor(self._index, self._make_anew):
                await loop.run_in_executor(self._ask, self._ask_anew)
                self.anew += 1

    def _make_anew(self) -> bool:
        if _is_whole(self._writing):
            return False
        broken, self._writing = self._writing, self._take_anew()
        broken.close()
        return True

    def _ask_anew(self) -> None:
        broken, self._asking = self._asking, self._connect_to_ask()
        broken.close()

    # --- asking ---

    async def find(self, wanted: Wanted, sight: Sight) -> list[Hit]:
        words, number = asked(wanted.text)
        if not words and not number:
            return []
        return await self._run(self._ask, lambda: self._find(wanted, sight, words, number))

    def _find(self, wanted: Wanted, sight: Sight, words: list[str], number: str) -> list[Hit]:
        rows = ask(Driver(self._asking), QUESTIONS, wanted, sight, match_of(words, number))
        return [hit_of(row, words, number) for row in rows]

    # --- following ---

    async def follow(
        self, homes: Sequence[int], clients: Sequence[int], tickets: Sequence[int], rest: Rest = no_rest
    ) -> None:
        """Without rests: see `_step_back`."""
        await self._run(self._index, lambda: self._follow(homes, clients, tickets))

    def _follow(self, homes: Sequence[int], clients: Sequence[int], tickets: Sequence[int]) -> None:
        """What is read is never older than what was there when it was asked for, so the last one to write is right."""
        self._writing.execute("BEGIN IMMEDIATE")
        try:
            of_homes = (row[0] for home in homes for row in self._source.execute(CLIENT_OF, (home,)))
            touched = {*clients, *of_homes} - {0}
            self._write(read(SQLiteSource(self._source, self._known), homes, list(touched), tickets))
        except BaseException:
            if self._writing.in_transaction:  # an error of the file has ended it already
                self._writing.execute("ROLLBACK")
            raise
        self._writing.execute("COMMIT")

    def _known(self, home: int) -> int:
        known: int = self._writing.execute(KNOWN, (home,)).fetchone()[0]
        return known

    def _write(self, now: Read) -> None:
        run, indexed = self._writing.execute, self._indexed(list(now.found))
        write = differing(now.found, indexed)
        old = [indexed[it].id for it in (*(it.key for it in write.fresh), *write.gone) if it in indexed]
        self._writing.executemany("DELETE FROM words WHERE rowid = ?", [(it,) for it in old])
        self._writing.executemany("DELETE FROM documents WHERE id = ?", [(indexed[it].id,) for it in write.gone])
        for it in write.moved:
            run("UPDATE documents SET at = ? WHERE id = ?", (it.at, indexed[it.key].id))
        for it in write.fresh:
            ((id,),) = run(KEEP, (*it.key, it.at, it.text)).fetchall()
            said = (" ".join(part) for part in (words_of(it.text), exact_of(it.text)))
            run("INSERT INTO words (rowid, text, exact) VALUES (?, ?, ?)", (id, *said))
        self._writing.executemany("INSERT OR REPLACE INTO homes VALUES (?, ?)", now.versions.items())

    def _indexed(self, keys: Sequence[Key]) -> dict[Key, Indexed]:
        rows = self._writing.execute(INDEXED, (encode(keys),))
        return {(row[0], row[1], row[2]): Indexed(*row[3:]) for row in rows}

    async def stale(self, after: int, limit: int) -> tuple[list[int], int]:
        rows: list[tuple[int, int]] = await self._run(
            self._ask, lambda: self._asking.execute(STALE, (after, limit)).fetchall()
        )
        return [home for home, old in rows if old], rows[-1][0] if len(rows) == limit else 0

    async def changed_tickets(self, since: float, limit: int) -> list[tuple[int, float]]:
        found: list[tuple[int, float]] = await self._run(
            self._ask, lambda: self._asking.execute(CHANGED, (since, limit)).fetchall()
        )
        return found


def match_of(words: Iterable[str], number: str) -> str:
    """A question of FTS5: each word as it begins or in another of its forms; or the number as a whole."""
    every = " AND ".join(f"({_forms(word)})" for word in words)
    return " OR ".join(filter(None, [f"({every})" if every else "", f'exact : "{number}" *' if number else ""]))


def _forms(word: str) -> str:
    forms = " OR ".join(f'"{form}"' for form in sorted(forms_of(word)))
    return f'{{text exact}} : "{word}" * OR text : ({forms})'


def _step_back() -> None:
    """This thread runs when the loop has nothing to do: on a core of both, it would have it for milliseconds at a stretch.
    Only Linux has priorities of threads: https://man7.org/linux/man-pages/man2/setpriority.2.html (Bugs)."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICE)  # at most 19


def _is_broken(error: sqlite3.Error) -> bool:
    """Whether a file is not what SQLite left: https://www.sqlite.org/rescode.html#corrupt"""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _is_whole(made: sqlite3.Connection) -> bool:
    """Whether the tables and the index of words are sound; reads all of it: https://www.sqlite.org/fts5.html#the_integrity_check_command"""
    try:
        made.execute("INSERT INTO words (words) VALUES ('integrity-check')")
        return bool(made.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.DatabaseError:
        return False


def _connect_to_write(path: Path) -> sqlite3.Connection:
    made = _connect(path)
    made.execute("PRAGMA journal_mode = WAL")
    made.execute("PRAGMA synchronous = OFF")  # what a power cut breaks is found broken, and made anew
    made.execute("PRAGMA wal_autocheckpoint = 1000")
    return made


def _connect(path: Path) -> sqlite3.Connection:
    """No connection of the search checkpoints the store's log: its one writer does (`storage.sqlite`)."""
    made = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    for pragma in ("wal_autocheckpoint = 0", "busy_timeout = 2000", "mmap_size = 0"):
        made.execute(f"PRAGMA {pragma}")
    return made
