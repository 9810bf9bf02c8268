"""Backup and restore as the docs say it, word by word, on both stores: nothing is lost, and the copy does not send."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.effects import CreateTicket
from core.outbox import Sent, Settled
from core.ports import Store
from storage import open_store
from storage.copies import TICKET_GAP
from storage.migrate import migrate_postgres
from tests.deploy.reading import DEPLOY
from tests.postgres import Cluster, cluster, programs
from tests.smallest import FLOWS
from tests.storage.making import ECHO, always, inbound, say

DOCS = (DEPLOY.parent / "docs" / "operations.md").read_text("utf-8")
CONFIG = """\
http: {port: 0}
storage: {url: "${DATABASE_URL:-sqlite:///var/frontline.db}", files: var/files}
lines: {support: {title: Поддержка, hours: {mon-sun: "00:00-24:00"}, closed: {ticket: general}, busy: {ticket: general}}}
desks: {general: {title: Обращения}}
"""


def told(name: str) -> str:
    """The commands of the docs under a mark."""
    (found,) = re.findall(rf"<!-- tested: {name} -->\n```sh\n(.*?)```", DOCS, re.DOTALL)
    return str(found)


def shell(commands: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{programs()}:{os.environ['PATH']}"
    values = {**os.environ, "PATH": path, "FRONTLINE_LANG": "en", **environ}
    return subprocess.run(
        ["sh", "-e", "-c", commands], cwd=folder, env=values, capture_output=True, text=True, check=False
    )


async def run(commands: str, folder: Path, **environ: str) -> str:
    done = await asyncio.to_thread(shell, commands, folder, **environ)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An installation in a folder, with a file of a client."""
    (tmp_path / "config.yaml").write_text(CONFIG, "utf-8")
    (tmp_path / "flows").mkdir()
    for name, text in FLOWS.items():
        (tmp_path / "flows" / name).write_text(text, "utf-8")
    (tmp_path / "var/files/ab").mkdir(parents=True)
    (tmp_path / "var/files/ab/abcd").write_bytes(b"photo")
    return tmp_path


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


@pytest.fixture
def databases(server: Cluster) -> Iterator[tuple[str, str]]:
    """One that serves, and an empty one to restore into."""
    names = [server.create(), server.create()]
    migrate_postgres(server.url(names[0]))
    yield server.url(names[0]), server.url(names[1])
    for name in names:
        server.drop(name)


@asynccontextmanager
async def serving(url: str) -> AsyncIterator[Store]:
    store = open_store(url, time.time)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def live(store: Store) -> None:
    """Something sent, something that waits, a ticket."""
    ticket = CreateTicket("key-1", 1, "general", "Title")
    (first,) = await store.accept([inbound(1)], always(say("sent"), say("waits"), ticket))
    await store.mark([Settled(first.outbox[0], Sent("sent", ("m1",)))])


async def keys_of(store: Store) -> set[str]:
    return {row.key for receipt in await store.accept([inbound(50, chat="50")], ECHO) for row in receipt.outbox}


async def texts(store: Store) -> dict[str, str]:
    return {it.message.body.text: it.state for it in await store.history(1) if it.message}


async def check_restored(store: Store, original_keys: set[str]) -> None:
    """Everything is there; what waited is shown as not confirmed and is not sent; keys and numbers are new ones."""
    assert await texts(store) == {"sent": "sent", "waits": "failed"}
    assert await store.lease() == []
    assert [it.number for it in await store.tickets()] == [1]
    assert not original_keys & await keys_of(store)
    (second,) = await store.accept(
        [inbound(51, chat="51")], always(CreateTicket("key-2", 2 + TICKET_GAP, "general", "T"))
    )
    assert (await store.stats())["dead"] == 1
    assert second.processed


async def test_sqlite(home: Path) -> None:
    url = f"sqlite:///{home}/var/frontline.db"
    async with serving(url) as store:
        await live(store)
        await run(told("sqlite-backup"), home)  # beside the one that serves
        keys = await keys_of(store)
    (home / "var/files/ab/abcd").unlink()
    said = await run(told("sqlite-restore"), home)
    assert "Messages that will not be sent: 1." in said
    assert (home / "var/files/ab/abcd").read_bytes() == b"photo"
    async with serving(url) as store:
        await check_restored(store, keys)


async def test_a_copied_file_that_was_not_restored_does_not_serve(home: Path) -> None:
    async with serving(f"sqlite:///{home}/var/frontline.db") as store:
        await live(store)
        await run(told("sqlite-backup"), home)
    commands = told("sqlite-restore").replace("frontline restore\n", "")
    done = await asyncio.to_thread(shell, commands, home)
    assert done.returncode == 1
    assert "is a backup of 20" in done.stderr


async def test_postgresql(home: Path, databases: tuple[str, str]) -> None:
    original, copy = databases
    async with serving(original) as store:
        await live(store)
        await run(told("postgresql-backup"), home, DATABASE_URL=original)  # beside the one that serves
        keys = await keys_of(store)
        (home / "var/files/ab/abcd").unlink()
        said = await run(told("postgresql-restore"), home, DATABASE_URL=copy)
        assert "Messages that will not be sent: 1." in said
        assert (home / "var/files/ab/abcd").read_bytes() == b"photo"
        async with serving(copy) as restored:
            await check_restored(restored, keys)
        assert (await texts(store))["waits"] == "pending"  # the original goes on


async def test_a_dump_that_was_not_restored_does_not_serve(home: Path, databases: tuple[str, str]) -> None:
    original, copy = databases
    async with serving(original) as store:
        await live(store)
    await run(told("postgresql-backup"), home, DATABASE_URL=original)
    commands = told("postgresql-restore").replace("frontline restore\n", "")
    done = await asyncio.to_thread(shell, commands, home, DATABASE_URL=copy)
    assert done.returncode == 1
    assert "was restored from a copy" in done.stderr


async def test_a_database_that_serves_is_not_restored(home: Path, databases: tuple[str, str]) -> None:
    original, _ = databases
    async with serving(original) as store:
        await live(store)
        done = await asyncio.to_thread(shell, "frontline restore", home, DATABASE_URL=original)
        assert done.returncode == 1
        assert "stop them first" in done.stderr
        assert (await texts(store))["waits"] == "pending"


async def test_with_keep_what_waits_is_sent(home: Path, databases: tuple[str, str]) -> None:
    """A dump of a stopped original: an upgrade of the server, a new machine."""
    original, copy = databases
    async with serving(original) as store:
        await live(store)
    await run(told("postgresql-backup"), home, DATABASE_URL=original)
    commands = told("postgresql-restore").replace("frontline restore\n", "frontline restore --keep\n")
    await run(commands, home, DATABASE_URL=copy)
    async with serving(copy) as store:
        assert (await texts(store))["waits"] == "pending"
        assert [row.message.body.text for row in await store.lease() if row.message] == ["waits"]
