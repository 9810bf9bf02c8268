"""`frontline clients …`: shows who is who, joins and takes apart, and says clearly what cannot be."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from core.effects import CreateTicket, UpdateClient
from storage.sqlite import SQLiteStore
from tests.gateway.cli.test_commands import Run, home, run
from tests.storage.making import accept_one, always, inbound

__all__ = ["home", "run"]


@pytest.fixture
def people(home: Path) -> None:
    """Two clients: one has typed the phone that the other's messenger has proved."""

    async def meet() -> None:
        store = SQLiteStore(home / "var" / "a.db", time.time)
        await store.open()
        typed, proved = UpdateClient({"phone": "+79991234567"}), UpdateClient({"phone": "+79991234567"}, ("phone",))
        await accept_one(store, inbound(1, "1"), always(typed, CreateTicket("a", 1, "general", "Первая")))
        await accept_one(store, inbound(2, "2", channel="vk"), always(proved))
        await store.close()

    asyncio.run(meet())


def test_nobody_is_there(run: Run) -> None:
    assert run("clients", "list")[:2] == (0, "There are no clients.\n")
    assert run("clients", "joins")[:2] == (0, "There are no joins.\n")
    assert run("clients", "suggestions")[:2] == (0, "There are no suggestions.\n")
    assert json.loads(run("clients", "list", "--format", "json")[1]) == []


def test_clients_are_listed_and_suggested(run: Run, people: None) -> None:
    assert run("clients", "list")[1].splitlines() == [
        "2\tClient 2\t+79991234567\ttelegram".replace("telegram", "vk"),
        "1\tClient 1\t+79991234567\ttelegram",
    ]
    assert run("clients", "list", "--phone", "+70000000000")[1] == "There are no clients.\n"
    said = run("clients", "suggestions")[1]
    assert said == "1 + 2\t+79991234567\tthe same phone, typed by one of them at least\n"


def test_a_client_is_shown(run: Run, people: None) -> None:
    code, out, _ = run("clients", "show", "2")
    assert code == 0
    assert "phone: +79991234567  (proved)" in out
    assert "Identities:\n  vk  2" in out
    assert "Conversations:\n  2  vk  2  (the last one)" in out
    assert "Tickets:\n  1  new  Первая" in run("clients", "show", "1")[1]


def test_two_become_one_and_two_again(run: Run, people: None) -> None:
    before = [run("clients", "show", n, "--format", "json")[1] for n in ("1", "2")]
    assert run("clients", "join", "2", "1")[:2] == (0, "Clients 2 and 1 are one now: join 1.\n")
    out = run("clients", "show", "1")[1]
    assert "telegram  1" in out
    assert "vk  2" in out
    assert "name: Client 1 | Client 2" in out  # what each of them had
    assert "Client 2 is part of client 1." in run("clients", "show", "2")[1]
    code, out, _ = run("clients", "unjoin", "1")
    assert (code, out) == (0, "Join 1 is undone.\n")
    after = [run("clients", "show", n, "--format", "json")[1] for n in ("1", "2")]
    kept = [json.loads(it) for it in (*before, *after)]
    joins = [it.pop("joins") for it in kept]
    assert kept[:2] == kept[2:]
    assert [[it["state"] for it in one] for one in joins] == [[], [], ["undone"], ["undone"]]
    assert "undone" in run("clients", "joins", "2")[1]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["show", "9"], "There is no client 9."),
        (["join", "1", "1"], "Both are client 1."),
        (["join", "1", "9"], "There is no client 9."),
        (["unjoin", "9"], "There is no join 9."),
    ],
)
def test_what_cannot_be_is_said(run: Run, people: None, argv: list[str], said: str) -> None:
    assert run("clients", *argv) == (1, "", f"{said}\n")


def test_later_joins_are_undone_first(run: Run, people: None, home: Path) -> None:
    async def meet() -> None:
        store = SQLiteStore(home / "var" / "a.db", time.time)
        await store.open()
        await accept_one(store, inbound(3, "3"))
        await store.close()

    asyncio.run(meet())
    run("clients", "join", "2", "3")
    run("clients", "join", "1", "2")
    assert run("clients", "join", "3", "1")[2] == "One of them is part of client 2 already: name that one.\n"
    assert run("clients", "unjoin", "1")[2] == "Join 2 was made later and stands on this one: undo it first.\n"
    assert run("clients", "unjoin", "2")[0] == run("clients", "unjoin", "1")[0] == 0
    assert run("clients", "unjoin", "1")[2] == "Join 1 has been undone already.\n"
