"""Idempotency keys: nothing is done twice, also when the process is killed between the deed and its answer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.accounts.once import one_write, under_way
from storage.migrate import migrate_postgres
from tests.gateway.api.dying import KEY, config_of
from tests.gateway.api.house import Answer, Browser, House, open_house
from tests.postgres import Cluster, cluster

ROOT = Path(__file__).resolve().parents[3]
REPLY = {"scope": "own", "shortcut": "привет", "title": "Приветствие", "text": "Здравствуйте"}
ANNA = {"name": "anna", "role": "operator", "lines": {"support": "operator"}}


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/once.db"
    server: Cluster = request.getfixturevalue("server")
    url = server.url(server.create())
    migrate_postgres(url)
    return url


def kill(storage: str, folder: Path, method: str, path: str, body: dict[str, Any]) -> None:
    """Do a write under the key in a gateway that is killed right after the deed."""
    command = [sys.executable, "-m", "tests.gateway.api.dying", storage, method, path, json.dumps(body)]
    (folder / "tmp").mkdir()
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder / "tmp")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]


async def reopened(storage: str) -> AsyncIterator[tuple[House, Browser]]:
    """A new gateway over what the killed one left."""
    async for house in open_house(config=config_of(storage)):
        yield house, await house.browser("root")


async def again(browser: Browser, method: str, path: str, body: dict[str, Any]) -> Answer:
    return await browser.ask(method, path, body, Idempotency_Key=KEY)


async def test_an_account_is_made_once(storage: str, tmp_path: Path) -> None:
    kill(storage, tmp_path, "POST", "/users", ANNA)
    async for _, browser in reopened(storage):
        answer = await again(browser, "POST", "/users", ANNA)
        assert (answer.status, answer.kind) == (409, "done-before")  # the password was not kept
        users = (await browser.ask("GET", "/users")).body["items"]
        assert [user["name"] for user in users] == ["root", "anna"]


async def test_an_account_is_changed_once(storage: str, tmp_path: Path) -> None:
    change = {"title": "Корень"}
    kill(storage, tmp_path, "PATCH", "/users/1", change)
    async for _, browser in reopened(storage):
        answer = await again(browser, "PATCH", "/users/1", change)
        assert (answer.status, answer.kind) == (409, "answer-lost")
        audit = (await browser.ask("GET", "/audit")).body["items"]
        assert [row["action"] for row in audit].count("user_changed") == 1
        assert (await browser.ask("GET", "/users/1")).body["title"] == "Корень"


async def test_a_unit_of_writing_is_done_once(storage: str, tmp_path: Path) -> None:
    kill(storage, tmp_path, "POST", "/replies", REPLY)
    async for _, browser in reopened(storage):
        answer = await again(browser, "POST", "/replies", REPLY)
        assert (answer.status, answer.kind) == (409, "answer-lost")
        assert len((await browser.ask("GET", "/replies")).body["items"]) == 1


async def test_an_act_is_done_once_and_gives_its_answer(storage: str, tmp_path: Path) -> None:
    """What goes through the inbox is known there by its key: when the dead process is given up, the answer is the true one."""
    words = {"text": "Слушаю вас", "epoch": 2}
    kill(storage, tmp_path, "POST", "/conversations/1/reply", words)
    async for house, browser in reopened(storage):
        assert (await again(browser, "POST", "/conversations/1/reply", words)).kind == "under-way"
        house.clock.at += 61
        answer = await again(browser, "POST", "/conversations/1/reply", words)
        assert (answer.status, answer.body["epoch"]) == (200, 2)
        history = await house.store.history(1)
        assert [it.author for it in history].count("operator") == 1


async def test_a_refusal_may_be_asked_for_again(house: House) -> None:
    """A unit that came to nothing must not leave the key taken."""
    await house.add("root", "admin")
    browser = await house.browser("root")
    for _ in range(2):
        answer = await browser.ask("DELETE", "/tokens/7", Idempotency_Key=KEY)
        assert (answer.status, answer.kind) == (404, "not-found")


async def test_another_request_under_the_key_is_refused(house: House) -> None:
    await house.add("root", "admin")
    browser = await house.browser("root")
    assert (await browser.ask("PATCH", "/users/1", {"title": "А"}, Idempotency_Key=KEY)).status == 200
    answer = await browser.ask("PATCH", "/users/1", {"title": "Б"}, Idempotency_Key=KEY)
    assert (answer.status, answer.kind) == (422, "other-request")


async def test_the_same_key_gets_the_same_answer(house: House) -> None:
    await house.add("root", "admin")
    browser = await house.browser("root")
    first = await browser.ask("POST", "/replies", REPLY, Idempotency_Key=KEY)
    second = await browser.ask("POST", "/replies", REPLY, Idempotency_Key=KEY)
    assert (first.status, second.status) == (201, 201)
    assert first.body == second.body


async def test_what_fails_after_the_deed_is_not_done_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The deed is committed, then something of ours breaks: the key says that it was done."""
    await house.add("root", "admin")
    browser = await house.browser("root")

    def broken(name: str) -> None:
        raise RuntimeError(name)

    with monkeypatch.context() as patch:
        patch.setattr("gateway.api.door.failpoint", broken)
        assert (await browser.ask("POST", "/replies", REPLY, Idempotency_Key=KEY)).status == 500
    answer = await browser.ask("POST", "/replies", REPLY, Idempotency_Key=KEY)
    assert (answer.status, answer.kind) == (409, "answer-lost")


def test_only_the_write_itself_speaks_for_its_key() -> None:
    with one_write("user:1", "k", 200) as once:
        assert under_way() is once
    assert under_way() is None
    once.over = False
    assert under_way() is None
