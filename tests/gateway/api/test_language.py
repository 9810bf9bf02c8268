"""Refusals are said in the language of the account, else in the one that the browser asks for, else in English."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.accounts import User
from core.locale import texts
from gateway.api.problems import TYPES
from gateway.api.speech import language_of
from tests.gateway.api.house import Browser, House

API = Path(__file__).resolve().parents[3] / "gateway" / "api"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("ru", "ru"),
        ("ru-RU,ru;q=0.9,en-US;q=0.8", "ru"),
        ("en-GB,ru;q=0.3", "en"),
        ("de,fr;q=0.9,ru;q=0.1", "ru"),
        ("de", "en"),
        ("ru;q=0,en;q=0.1", "en"),
        ("ru;q=nan, en;q=x", "en"),
        ("en;q=0.2,ru;q=0.7", "ru"),
        (",,;;q=,", "en"),
    ],
)
def test_the_browser_asks_for_a_language(accepted: str, language: str) -> None:
    assert language_of(accepted) == language


def test_the_account_is_asked_first() -> None:
    anna = User(1, "anna", "Anna", "operator", {}, language="en")
    assert language_of("ru", anna) == "en"


async def title(browser: Browser, path: str = "/users/999", **headers: str) -> tuple[str, str]:
    answer = await browser.ask("GET", path, **headers)
    return answer.body["title"], answer.headers["Content-Language"]


async def test_people_read_refusals_in_their_language(house: House) -> None:
    await house.add("root", "admin")
    browser = await house.browser("root")
    assert await title(browser) == ("There is no such thing", "en")
    assert await title(browser, Accept_Language="ru") == ("Такого нет", "ru")
    await browser.ask("PATCH", "/me", {"language": "ru"})
    assert await title(browser, Accept_Language="en") == ("Такого нет", "ru")
    assert await title(browser, "/nowhere", Accept_Language="ru") == ("Такого нет", "ru")


async def test_reports_are_named_in_the_language_of_whoever_reads_them(house: House) -> None:
    await house.add("root", "admin")
    browser = await house.browser("root")

    async def first(**headers: str) -> str:
        answer = await browser.ask("GET", "/reports", **headers)
        title: str = answer.body["items"][0]["title"]
        return title

    assert [await first(Accept_Language=it) for it in ("en-GB", "ru", "de")] == ["Overview", "Обзор", "Обзор"]
    await browser.ask("PATCH", "/me", {"language": "en"})
    assert await first(Accept_Language="ru") == "Overview"


async def test_places_in_the_request_are_told_in_words(house: House) -> None:
    await house.add("root", "admin")
    browser = await house.browser("root")
    wrong = {"name": "", "role": "king", "surprise": 1}
    answer = await browser.ask("POST", "/users", wrong, Accept_Language="ru")
    said = {error["pointer"]: error["detail"] for error in answer.body["errors"]}
    assert (answer.kind, said["/name"], said["/surprise"]) == (
        "invalid",
        "не меньше 1 символов",
        "здесь нет ничего с таким именем",
    )
    assert said["/role"].startswith("одно из: ")


async def test_what_a_client_sent_is_never_taken_for_a_place_to_fill(house: House) -> None:
    await house.add("root", "admin")
    answer = await (await house.browser("root")).ask("POST", "/users", {"{name}": 1, "{0.__class__}": 2})
    assert answer.status == 422
    assert {"/{name}", "/{0.__class__}"} <= {error["pointer"] for error in answer.body["errors"]}


def test_every_type_is_said_in_russian() -> None:
    t = texts("ru")
    assert [name for name, (_, said) in TYPES.items() if t(said) == said] == []


def details() -> Iterator[tuple[str, ast.expr]]:
    """What problems say beside their titles."""
    for path in sorted(API.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            place = f"{path.relative_to(API)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Problem" and len(node.args) > 1:
                yield place, node.args[1]
            elif isinstance(node, ast.Dict):
                told = {ast.unparse(key): value for key, value in zip(node.keys, node.values, strict=True) if key}
                if {"'pointer'", "'detail'"} <= set(told):
                    yield place, told["'detail'"]


def test_details_are_marked_for_the_catalogue() -> None:
    """A text that stands bare in a problem, or is put together there, would stay English: `n_("…")` and `values`."""
    found = list(details())
    assert len(found) > 30
    wrong = (ast.JoinedStr, ast.BinOp)
    bare = [place for place, it in found if isinstance(it, wrong) or (isinstance(it, ast.Constant) and it.value)]
    assert bare == []
