"""Migrations of the database, run by the program itself: no ini file, no command of Alembic needed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from importlib.resources import as_file, files
from pathlib import Path

HEAD = "0002"  # the newest revision in `storage/migrations/versions`


def current_revision(path: Path) -> str:
    """The revision of an SQLite file; empty for a new one."""
    with closing(sqlite3.connect(path)) as connection:
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if known else None
    return row[0] if row else ""


def migrate_file(path: Path) -> bool:
    """Bring an SQLite file to the newest revision. False when it was there: then Alembic is not even imported.

    Raises `alembic.util.CommandError` when the file comes from a newer version of the program.
    """
    if current_revision(path) == HEAD:
        return False
    migrate(f"sqlite:///{path}")
    return True


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database at an SQLAlchemy URL to a revision."""
    from alembic import command
    from alembic.config import Config

    with as_file(files("storage") / "migrations") as scripts:
        config = Config()
        config.set_main_option("script_location", str(scripts).replace("%", "%%"))
        config.attributes["url"] = url
        command.upgrade(config, revision)
