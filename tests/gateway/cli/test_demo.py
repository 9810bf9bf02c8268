"""A demo at the command line: refused beside anything real, made once, fed and stopped."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO

import pytest

from gateway.cli import execute

ROOT = Path(__file__).resolve().parents[3]
NAMES = ("TELEGRAM_TOKEN", "VK_TOKEN", "MAX_TOKEN", "DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "FRONTLINE_LANG")


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped flows and configuration in a fresh folder."""
    shutil.copytree(ROOT / "flows", tmp_path / "flows")
    shipped = (ROOT / "config.yaml").read_text("utf-8").replace("port: 8080", "port: 0")
    (tmp_path / "config.yaml").write_text(shipped, "utf-8")
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capfd: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str]:
    code = execute(["--lang", "en", *argv])
    out, error = capfd.readouterr()
    return code, out + error


def test_no_demo_runs(house: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for argv in (("demo",), ("demo", "--clients", "3"), ("demo", "--passwords")):
        code, text = said(capfd, *argv)
        assert code == 1
        assert "No demo runs here" in text


def test_refused_beside_a_token(
    house: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELEGRAM_TOKEN", "123456:abc")
    code, text = said(capfd, "run", "--demo")
    assert code == 1
    assert "«telegram» has a token" in text
    assert not (house / "var").exists()


def test_a_demos_store_serves_no_installation(
    house: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = house / "var" / "other.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT)")
        connection.execute("INSERT INTO meta VALUES ('demo', 'ready')")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{path}")
    code, text = said(capfd, "run")
    assert code == 1
    assert "the store of a demo" in text


class Running:
    """`frontline run --demo auto` as a process of its own, with what it has said until it serves."""

    def __init__(self, house: Path) -> None:
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "gateway", "--lang", "en", "run", "--demo", "auto"]
        self.process = subprocess.Popen(command, cwd=house, stdout=subprocess.PIPE, text=True, env=environ)
        assert self.process.stdout is not None
        self.output: IO[str] = self.process.stdout
        self.lines: list[str] = []
        for line in self.output:
            self.lines.append(line)
            if line.startswith("New passwords:"):
                break

    @property
    def text(self) -> str:
        return "".join(self.lines)

    def stop(self) -> None:
        """Ctrl+C."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(15) == 0

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.output.close()


@pytest.fixture
def start(house: Path) -> Iterator[type[Running]]:
    made: list[Running] = []

    class One(Running):
        def __init__(self, house: Path) -> None:
            made.append(self)
            super().__init__(house)

    yield One
    for one in made:
        one.close()


def count(house: Path, table: str) -> int:
    with closing(sqlite3.connect(f"file:{house}/var/demo/demo.db?mode=ro", uri=True)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_a_demo_is_made_once_fed_and_stopped(
    house: Path, start: type[Running], capfd: pytest.CaptureFixture[str]
) -> None:
    first = start(house)
    for name in ("operator", "supervisor", "admin"):
        assert f"{name}, password " in first.text
    assert "/console/" in first.text
    assert "/chat/site" in first.text
    code, text = said(capfd, "demo", "--clients", "2", "--with", "people", "--pace", "3")
    assert code == 0
    assert "2 clients come." in text
    assert "Pace: 3" in text
    code, text = said(capfd, "demo", "--passwords")
    assert code == 0
    assert all(f"{name}, password " in text for name in ("operator", "supervisor", "admin"))
    assert said(capfd, "demo", "--pace", "99")[0] == 2
    first.stop()
    users, sessions = count(house, "users"), count(house, "sessions")
    second = start(house)
    assert "password " not in second.text.replace("passwords", "")
    assert "the passwords were shown at the first start" in second.text
    second.stop()
    assert count(house, "users") == users
    assert count(house, "sessions") < sessions + 40  # no second past
    assert not (house / "var" / "frontline.db").exists()
