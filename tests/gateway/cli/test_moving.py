"""`frontline migrate --from --to`, `backup`, `restore`: what they say, and exit codes that scripts can trust."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from storage.lockfile import FileLock
from storage.migrate import migrate_postgres
from tests.gateway.cli.test_commands import Run, home, run
from tests.postgres import Cluster, cluster

__all__ = ["home", "run"]
FROM = ("migrate", "--from", "sqlite:///var/a.db", "--to")


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


@pytest.fixture
def target(server: Cluster) -> Iterator[str]:
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def stored(home: Path, run: Run) -> Path:
    """The database of the deployment, used before, with one text in it."""
    assert run("uncaught")[0] == 0
    path = home / "var/a.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO uncaught VALUES ('где мой заказ', 3, 1800000000.0)")
        connection.commit()
    return path


def test_a_move_and_the_same_commands_afterwards(
    run: Run, home: Path, stored: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The password stands in the environment, not on the command line; plain lines when piped."""
    monkeypatch.setenv("NEW_DATABASE", target)
    code, out, err = run(*FROM, "${NEW_DATABASE}")
    assert (code, err) == (0, "")
    assert "uncaught\t1\n" in out
    assert "counts and checksums agree" in out
    assert "The installation has moved." in out
    config = home / "config.yaml"
    config.write_text(config.read_text("utf-8").replace("sqlite:///var/a.db", "${NEW_DATABASE}"), "utf-8")
    assert "где мой заказ" in run("uncaught")[1]
    assert "is up to date" in run("migrate")[1]


def test_beside_a_gateway_it_says_what_comes_next(run: Run, stored: Path, target: str) -> None:
    lock = FileLock(stored)
    lock.take()
    code, out, _ = run(*FROM, target)
    lock.free()
    assert code == 0
    assert "Stop it and run this again" in out
    assert "The installation has moved." in run(*FROM, target)[1]


def test_the_file_says_where_the_installation_is(run: Run, stored: Path, target: str) -> None:
    run(*FROM, target)
    code, _, err = run("uncaught")
    assert code == 1
    assert f"The installation has moved to {target.partition('@')[2]}" in err


def test_a_target_under_way_says_how_to_go_on(
    run: Run, home: Path, stored: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = FileLock(stored)
    lock.take()
    run(*FROM, target)
    lock.free()
    config = home / "config.yaml"
    config.write_text(config.read_text("utf-8").replace("sqlite:///var/a.db", target), "utf-8")
    code, _, err = run("uncaught")
    assert code == 1
    assert "The move into this database has not ended" in err


def test_back_to_the_file(run: Run, stored: Path, target: str) -> None:
    """Before the first message on PostgreSQL."""
    run(*FROM, target)
    assert "with everything that waited" in run("restore", "--keep")[1]
    assert "где мой заказ" in run("uncaught")[1]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("migrate", "--from", "sqlite:///var/a.db"), "go together"),
        (("migrate", "--from", "postgresql://h/d", "--to", "postgresql://h/e"), "--from must be an SQLite file"),
        ((*FROM, "mysql://h/d"), "--to must be a PostgreSQL database"),
        ((*FROM, "${NOWHERE}"), "The variable NOWHERE is not set"),
        (("backup",), "FILE is missing"),
    ],
)
def test_mistakes_on_the_command_line_are_2(run: Run, argv: tuple[str, ...], said: str) -> None:
    code, out, err = run(*argv)
    assert (code, out) == (2, "")
    assert said in err


def test_what_cannot_be_moved_is_1(run: Run, home: Path, server: Cluster, target: str) -> None:
    code, _, err = run(*FROM, target)
    assert (code, "There is no database" in err) == (1, True)
    run("migrate")
    code, _, err = run(*FROM, "postgresql://frontline@127.0.0.1:1/none")
    assert (code, "PostgreSQL refuses" in err) == (1, True)
    migrate_postgres(target)
    server.sql("INSERT INTO uncaught VALUES ('x', 1, 1)", target.rpartition("/")[2])
    code, _, err = run(*FROM, target)
    assert (code, "not empty (table uncaught)" in err) == (1, True)


def test_backup_and_restore(run: Run, home: Path, stored: Path) -> None:
    code, out, _ = run("backup", "copy.db")
    assert code == 0
    assert "is whole" in out
    assert str(home / "var/files") in out
    code, _, err = run("backup", "copy.db")
    assert (code, "exists" in err) == (1, True)
    stored.write_bytes((home / "copy.db").read_bytes())
    code, _, err = run("uncaught")
    assert (code, "`frontline restore` makes it the one that serves" in err) == (1, True)
    assert run(*FROM, "postgresql://frontline@127.0.0.1:1/none")[0] == 1
    code, out, _ = run("restore")
    assert code == 0
    assert "New tickets begin with number 1001." in out
    assert "где мой заказ" in run("uncaught")[1]


def test_postgresql_has_its_own_tools(run: Run, home: Path, target: str) -> None:
    config = home / "config.yaml"
    config.write_text(config.read_text("utf-8").replace("sqlite:///var/a.db", target), "utf-8")
    code, _, err = run("backup", "copy.db")
    assert (code, "pg_dump" in err) == (1, True)


def test_a_store_in_memory_has_no_copies(run: Run, home: Path) -> None:
    config = home / "config.yaml"
    config.write_text(config.read_text("utf-8").replace("sqlite:///var/a.db", "memory:"), "utf-8")
    assert run("backup", "copy.db")[0] == 1
    assert run("restore")[0] == 1
