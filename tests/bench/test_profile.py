"""Which part of the product a look of the profiler belongs to."""

from __future__ import annotations

import pytest

from bench.profile import WAITING, entitled, lines_of, part_of, shares

MAIN = "main (gateway/cli/__init__.py:99);run (uvloop/__init__.py:92)"


@pytest.mark.parametrize(
    ("inner", "part"),
    [
        ("accept (storage/intake.py:33);step (bot/engine/turn.py:50);sub (re.py:1)", "the turn: flows and lines"),
        ("Writer._write_all (storage/writer.py:126)", "commit and checkpoint"),
        ("accept (storage/intake.py:33);SqlRows.insert (storage/sql_rows.py:107)", "database driver"),
        ("accept (storage/intake.py:33)", "rules of the store"),
        ("Sender._attempt (gateway/outbox.py:126);Wire.post (adapters/wire.py:134)", "sending"),
        ("RequestHandler.data_received (aiohttp/web_protocol.py:446)", "HTTP server"),
    ],
)
def test_the_innermost_frame_that_says_something_decides(inner: str, part: str) -> None:
    assert part_of(f"{MAIN};{inner}") == part


def test_the_loop_itself_and_strangers() -> None:
    assert part_of(MAIN) == "event loop, sockets"
    assert part_of("foo (bar.py:1)") == "the rest"


def test_shares_leave_waiting_threads_out() -> None:
    folded = f"{MAIN} 30\na (bot/b.py:1) 10\nThread.run (threading.py:982);{WAITING[0]} 1000"
    assert shares(folded) == {"event loop, sockets": 0.75, "the turn: flows and lines": 0.25}
    assert shares("") == {}
    assert shares(f"{MAIN};torn\nname 3\n{MAIN} 7") == {"event loop, sockets": 0.7, "the rest": 0.3}
    assert shares(f"{MAIN};torn (here\n{MAIN} 7") == {"event loop, sockets": 1.0}


def test_a_picture_says_nothing_of_the_machine() -> None:
    svg = '<svg><text id="title" x="1">/a/b/py-spy record --output /c/d.svg</text><text>a (b.py:1)</text></svg>'
    drawn = entitled(svg, "SQLite & more, 16 clients")
    assert drawn == '<svg><text id="title" x="1">SQLite &amp; more, 16 clients</text><text>a (b.py:1)</text></svg>'


def test_a_table_of_several_profiles() -> None:
    lines = lines_of({"one": {"hints": 0.1, "sending": 0.9}, "two": {"sending": 1.0}})
    assert lines[2:] == ["| sending | 90% | 100% |", "| hints | 10% | 0% |"]
