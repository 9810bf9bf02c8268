"""The past of a demo: the same for the same moment, believable, and life on every list of the API."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from core.accounts import User
from gateway.app import Gateway
from gateway.config import load_config
from gateway.config.model import Config
from gateway.demo.cast import CREW, clients, stories
from gateway.demo.channel import past_channels
from gateway.demo.hands import Hands
from gateway.demo.live import renew
from gateway.demo.past import DAYS, Maker
from gateway.demo.place import READY, database_of, demo_config, mark_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
Rows = list[tuple[Any, ...]]


def place(folder: Path) -> Config:
    (folder / "config.yaml").write_text((ROOT / "config.yaml").read_text("utf-8"), "utf-8")
    shutil.copytree(ROOT / "flows", folder / "flows")
    config, findings = load_config(folder / "config.yaml", {})
    assert config is not None, findings
    return config


def read(config: Config, query: str) -> Rows:
    path = database_of(demo_config(config))
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def said(config: Config) -> Rows:
    """Everything that was ever said, in order."""
    rows = read(config, "SELECT conversation, seq, author, at, event, message FROM messages ORDER BY conversation, seq")
    return [(*row[:3], round(row[3], 3), _text(row[4]), _text(row[5])) for row in rows]


def _text(stored: bytes | None) -> str:
    found = json.loads(stored) if stored else {}
    return str(found.get("text") or found.get("label") or (found.get("body") or {}).get("text") or "")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, dict[str, str], list[float]]:
    """A configuration with a demo beside it, the passwords, and what was told of the progress."""
    config, parts = place(tmp_path_factory.mktemp("demo")), list[float]()
    return config, await Maker(config, NOW, parts.append).make(), parts


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(made: tuple[Config, dict[str, str], list[float]]) -> AsyncIterator[Gateway]:
    """The demo opened at the moment when its past ends."""
    config = demo_config(made[0])
    gateway = Gateway(config, now=lambda: NOW, channels=past_channels(config), demo=made[0])
    await gateway.open()
    yield gateway
    await gateway.stop()


async def user(house: Gateway, name: str) -> User:
    found = await house.people.accounts.user_named(name)
    assert found is not None
    return found


async def test_it_is_marked_and_told_of(made: tuple[Config, dict[str, str], list[float]]) -> None:
    config, passwords, parts = made
    assert mark_of(database_of(demo_config(config))) == READY
    assert set(passwords) == {member.name for member in CREW if member.signs_in}
    assert len(set(passwords.values())) == len(passwords)
    assert all(len(password) >= 16 for password in passwords.values())
    assert parts == sorted(parts)
    assert parts[-1] == 1.0
    assert not (config.root / "var" / "frontline.db").exists()


async def test_the_same_moment_has_the_same_past(
    made: tuple[Config, dict[str, str], list[float]], tmp_path: Path
) -> None:
    again = place(tmp_path)
    passwords = await Maker(again, NOW).make()
    assert said(again) == said(made[0])
    assert passwords != made[1]


async def test_two_weeks_are_behind_it(made: tuple[Config, dict[str, str], list[float]]) -> None:
    rows = read(made[0], "SELECT at, data FROM records WHERE kind = 'session_opened'")
    days = {int((NOW.timestamp() - at) // 86_400) for at, _ in rows}
    assert len(rows) > 100
    assert max(days) in (DAYS - 1, DAYS)
    assert len(days) >= DAYS - 1
    assert all(at <= NOW.timestamp() for at, _ in rows)


async def test_nobody_waits_since_yesterday(made: tuple[Config, dict[str, str], list[float]]) -> None:
    """What people have open began in the last half hour: the past is no heap of what was forgotten."""
    query = "SELECT moved_at FROM sessions WHERE current = 1 AND status IN ('queued', 'assigned', 'waiting', 'held')"
    assert [at for (at,) in read(made[0], query) if at < NOW.timestamp() - 3600] == []


VIEWS = {"mine": 3, "queue": 4, "waiting": 1, "held": 1, "bot": 3, "all": 50}


@pytest.mark.parametrize("view", VIEWS)
async def test_every_list_of_the_operator_has_life(house: Gateway, view: str) -> None:
    hands = Hands(house.people, house.floor)
    found = await hands.do(await user(house, "operator"), "GET /conversations", view=view, limit=200)
    assert len(found.items) >= VIEWS[view]


LISTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("operator", "GET /tickets", {"group": "open"}),
    ("operator", "GET /tickets", {"group": "waiting"}),
    ("operator", "GET /tickets", {"group": "done"}),
    ("operator", "GET /clients", {}),
    ("operator", "GET /clients", {"tier": "vip"}),
    ("operator", "GET /clients", {"tag": "опт"}),
    ("operator", "GET /queue", {}),
    ("operator", "GET /replies", {}),
    ("supervisor", "GET /lines", {}),
    ("supervisor", "GET /me/mentions", {}),
    ("supervisor", "GET /sla/at-risk", {}),
    ("supervisor", "GET /reports", {}),
    ("admin", "GET /users", {}),
    ("admin", "GET /audit", {}),
    ("admin", "GET /channels", {}),
)


@pytest.mark.parametrize(("name", "route", "query"), LISTS, ids=str)
async def test_every_list_has_life(house: Gateway, name: str, route: str, query: dict[str, Any]) -> None:
    found = await Hands(house.people, house.floor).do(await user(house, name), route, **query)
    values = found.model_dump()
    assert any(isinstance(value, list) and value for value in values.values()), values


async def test_reports_have_numbers(house: Gateway) -> None:
    rows = await house.store.uncaught(10)
    assert len(rows) >= 3
    kinds = {kind for (kind,) in read_kinds(house)}
    assert {"session_opened", "session_moved", "rated"} <= kinds


def read_kinds(house: Gateway) -> Rows:
    path = database_of(house.config)
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return connection.execute("SELECT DISTINCT kind FROM records").fetchall()
    finally:
        connection.close()


async def test_a_client_of_two_messengers_is_one(house: Gateway) -> None:
    count = read_joins(house)
    assert count >= 2


def read_joins(house: Gateway) -> int:
    path = database_of(house.config)
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return int(connection.execute("SELECT count(*) FROM joins").fetchone()[0])
    finally:
        connection.close()


async def test_lost_passwords_are_replaced(house: Gateway, made: tuple[Config, dict[str, str], list[float]]) -> None:
    before = (await user(house, "operator")).password
    fresh = await renew(house)
    assert set(fresh) == set(made[1])
    assert not set(fresh.values()) & set(made[1].values())
    assert (await user(house, "operator")).password != before


async def test_nobody_in_it_is_real() -> None:
    """First names, phones of a range that is given to nobody, tax numbers of a region that there is none of."""
    for client in clients():
        assert client.phone.startswith("+7900000")
        assert client.inn.startswith("99000")
        assert len(client.name.split()[0]) > 1
    assert len({client.phone for client in clients()}) == len(clients())
    assert all(story.opens for story in stories().stories)
