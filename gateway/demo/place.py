"""Where a demo lives: a configuration of its own beside the real one, and what keeps a demo from being there."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from core.locale import Texts
from gateway.config.channels import Channel
from gateway.config.lines import LineSettings, Service, TableSettings
from gateway.config.model import Config
from storage.lockfile import FileLock
from storage.queries import META, SET_META
from storage.work.units import Units, asked

FOLDER = Path("var") / "demo"
MARK = "demo"  # the row of `meta` that says that a store is a demo's
MAKING, READY = "making", "ready"
LINES = ("support", "billing")  # the stories are told of these
DESKS = ("general", "returns", "billing")
SHOP = "shop"  # the service that knows orders
ORDERS = "orders.csv"
DATABASE = "demo.db"
MAX_WAIT = 1800.0  # seconds that clients of a demo wait before they are offered a ticket
RESOLVE = {"general": 86_400.0, "returns": 2 * 86_400.0, "billing": 43_200.0}  # seconds
WEEK = {"mon-sun": "00:00-24:00"}  # somebody looks at a demo at any hour


def folder_of(config: Config) -> Path:
    """Everything of a demo is in it, and nothing else."""
    return config.root / FOLDER


def obstacles(config: Config, t: Texts) -> list[str]:
    """What is real about an installation, in words: where there is any of it, nothing invented may come."""
    found = [
        t("the channel «{name}» has a token", name=name)
        for name, channel in config.channels.items()
        if any(value.get_secret_value() for value in _secrets(channel).values())
    ]
    outer = [name for name, desk in config.desks.items() if desk.kind != "builtin"]
    outer += [name for name, service in config.services.items() if not isinstance(service, TableSettings)]
    found += [t("«{name}» is in another system", name=name) for name in outer]
    if config.webhooks:
        found.append(t("other systems are told by webhooks"))
    if database_of(config) is None:
        found.append(t("the store is no file of SQLite"))
    missing = [*(set(LINES) - set(config.lines)), *(set(DESKS) - set(config.desks))]
    if missing:
        names = ", ".join(sorted(set(missing)))
        found.append(t("the demo tells of the shipped lines and desks; not there: {names}", names=names))
    return found


def _secrets(channel: Channel) -> dict[str, SecretStr]:
    return {name: value for name, value in channel if isinstance(value, SecretStr)}


def database_of(config: Config) -> Path | None:
    """The file of the store; None for one that is no file."""
    scheme, _, path = config.storage.url.partition(":///")
    return Path(path) if scheme == "sqlite" else None


def is_installed(config: Config) -> bool:
    """Whether the real store is there already."""
    path = database_of(config)
    return path is None or path.exists()


def demo_config(config: Config) -> Config:
    """The same lines, flows and doors over a store of the demo's own; messengers are played.

    The lines are open at any hour, and desks promise something: without deadlines there would be little to see.
    """
    folder = folder_of(config)
    place = {"url": f"sqlite:///{folder / DATABASE}", "files": folder / "files", "cache": folder / "cache"}
    desks = {
        name: desk.model_copy(update={"resolve": desk.resolve or RESOLVE.get(name, 0.0)})
        for name, desk in config.desks.items()
    }
    return config.model_copy(
        update={
            "storage": config.storage.model_copy(update=place),
            "redis": config.redis.model_copy(update={"url": ""}),
            "channels": {name: _played(channel) for name, channel in config.channels.items()},
            "lines": {name: _open(line) for name, line in config.lines.items()},
            "desks": desks,
            "services": {name: _service(name, one, folder) for name, one in config.services.items()},
        }
    )


def is_played(channel: Channel) -> bool:
    """Whether the demo stands in for a messenger: a web chat needs nobody else, and is real."""
    return "token" in type(channel).model_fields


def _played(channel: Channel) -> Channel:
    return channel.model_copy(update={"token": SecretStr("demo")}) if is_played(channel) else channel


def _open(line: LineSettings) -> LineSettings:
    promises = {"next_reply": line.next_reply or 900.0, "resolve": line.resolve or 8 * 3600.0}
    wait = max(line.max_wait, MAX_WAIT)
    return line.model_copy(update={"hours": WEEK, "holidays": (), "max_wait": wait, **promises})


def _service(name: str, service: Service, folder: Path) -> Service:
    """The shop of a demo knows the orders of its clients, too."""
    if name != SHOP or not isinstance(service, TableSettings):
        return service
    return service.model_copy(update={"file": folder / ORDERS})


# --- the mark ----------------------------------------------------------------------------------------------------------


def mark_of(path: Path | None) -> str:
    """What a file says of itself: `making` or `ready` for a demo's, empty for every other, also one that is not there."""
    if path is None or not path.exists():
        return ""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        try:
            found = connection.execute("SELECT value FROM meta WHERE name = ?", (MARK,)).fetchone()
        except sqlite3.OperationalError:  # no tables yet
            return ""
    return str(found[0]) if found else ""


async def is_demo(units: Units) -> bool:
    """Whether an open store is a demo's."""
    if not units.lists:
        return False
    found: Any = await units.ask(lambda reads: reads.one(META, name=MARK))
    return bool(found)


async def mark(units: Units, word: str) -> None:
    """Say of an open store that it is a demo's."""
    await units.write(lambda ledger: asked(ledger).run(SET_META, name=MARK, value=word))


def clear(config: Config) -> None:
    """Take a demo away whose making was cut off. Raises `StoreBusy` while somebody works with it."""
    folder = folder_of(config)
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / DATABASE)
    lock.take()
    try:
        for path in folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != DATABASE + ".lock":
                path.unlink()
    finally:
        lock.free()


# Said when a gateway without the demo finds a demo's store.
FOREIGN = "the store is a demo's, with invented clients and accounts: name another one in `storage.url`"
