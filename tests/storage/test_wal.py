"""The log of SQLite that is written over: what comes next is in memory, and SQLite's own locks stay where they are."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from storage import wal
from storage.wal import FRAME_HEAD, HEAD, Log

PAGE = 4096
FRAME = FRAME_HEAD + PAGE
LAP = 1000  # frames at least between two checkpoints: 4 MB, twice what is asked for ahead


class Tape:
    """A database that writes rows of some pages each, its log, and what the system was asked for since the last checkpoint."""

    def __init__(self, path: Path) -> None:
        self.log_path = path.with_name(path.name + "-wal")
        self.connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=0"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.execute("CREATE TABLE tape (said BLOB)")
        self.log = Log(self.log_path, PAGE)
        self.asked: set[int] = set()  # numbers of pages of the log

    def ask(self, file: int, start: int, length: int, advice: int) -> None:
        assert advice == os.POSIX_FADV_WILLNEED
        assert start >= 0
        self.asked.update(range(start // PAGE, -(-(start + length) // PAGE)))

    def write(self, pages: int = 10) -> None:
        self.log.ready()
        self.connection.execute("INSERT INTO tape VALUES (?)", (b"x" * pages * PAGE,))

    def frames(self) -> int:
        """As the format has it: frames from the first that have the salts of the head."""
        whole = self.log_path.read_bytes()
        count = 0
        while whole[(salts := HEAD + count * FRAME + 8) : salts + 8] == whole[16:24]:
            count += 1
        return count

    def checkpoint(self) -> None:
        self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        self.log.anew()

    def lap(self) -> None:
        while self.frames() < LAP:
            self.write()


@pytest.fixture
def tape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tape]:
    made = Tape(tmp_path / "tape.db")
    monkeypatch.setattr(os, "posix_fadvise", made.ask)
    with closing(made.connection), closing(made.log):
        yield made


def pages_of(start: int, end: int) -> set[int]:
    """Of the log, for frames from `start` to before `end`."""
    return set(range((HEAD + start * FRAME) // PAGE, (HEAD + end * FRAME - 1) // PAGE + 1))


def test_every_page_that_is_written_over_was_asked_for_before(tape: Tape) -> None:
    tape.lap()
    for _ in range(2):
        tape.asked.clear()
        tape.checkpoint()
        written = 0
        while written < LAP:
            tape.log.ready()
            asked = set(tape.asked)
            tape.connection.execute("INSERT INTO tape VALUES (?)", (b"y" * 10 * PAGE,))
            before, written = written, tape.frames()
            assert pages_of(before, written) <= asked
        assert max(tape.asked) * PAGE < HEAD + written * FRAME + 2 * wal.AHEAD  # … and not the whole file


def test_what_was_asked_for_is_not_asked_for_again_at_once(tape: Tape) -> None:
    tape.lap()
    tape.log.ready()
    tape.asked.clear()
    tape.write(1)
    assert tape.asked == set()


def test_after_a_rest_the_next_pages_are_asked_for_again(tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    tape.lap()
    tape.log.ready()
    tape.asked.clear()
    monkeypatch.setattr(wal, "FORGOTTEN", 0.0)
    here = tape.frames()
    tape.log.ready()
    assert pages_of(here, here + 100) <= tape.asked
    assert 0 not in tape.asked


def test_the_log_of_a_process_that_died_is_taken_up_where_it_ended(tape: Tape) -> None:
    tape.lap()
    here = tape.frames()
    tape.asked.clear()
    with closing(Log(tape.log_path, PAGE)) as log:
        log.ready()
    assert pages_of(here, here + 100) <= tape.asked


def test_a_log_that_somebody_reads_grows_and_asks_for_nothing(tape: Tape) -> None:
    tape.lap()
    grown = tape.log_path.stat().st_size
    with closing(sqlite3.connect(tape.connection.execute("PRAGMA database_list").fetchone()[2])) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM tape").fetchall()
        tape.write()
        tape.checkpoint()
        tape.asked.clear()
        tape.write()
        assert tape.log_path.stat().st_size > grown
        assert tape.asked == set()
    tape.checkpoint()
    tape.write()
    assert tape.frames() < LAP  # from its beginning


def test_without_a_log_or_a_system_that_can_be_asked_nothing_happens(
    tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = Log(tape.log_path.with_name("nothing-wal"), PAGE)
    missing.ready()
    missing.anew()
    missing.close()
    monkeypatch.setattr(wal, "CAN_ASK", False)
    tape.write()
    tape.checkpoint()
    assert tape.asked == set()


def test_a_sick_disk_is_not_our_word_to_say(tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    def sick(*_: object) -> None:
        raise OSError(5, "Input/output error")

    tape.write()
    monkeypatch.setattr(os, "posix_fadvise", sick)
    tape.checkpoint()
    tape.write()


TRY = """
import sqlite3, sys
try:
    sqlite3.connect(sys.argv[1], isolation_level=None, timeout=0).execute("BEGIN IMMEDIATE")
except sqlite3.OperationalError as error:
    print(error)
"""


def test_closing_it_lets_no_lock_of_sqlite_go(tape: Tape) -> None:
    """Locks of POSIX are the process's: https://www.sqlite.org/howtocorrupt.html, 2.2."""
    path = tape.connection.execute("PRAGMA database_list").fetchone()[2]
    tape.connection.execute("BEGIN IMMEDIATE")
    tape.log.ready()
    tape.log.close()
    done = subprocess.run([sys.executable, "-c", TRY, path], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "database is locked"
