"""Accounts, tokens of machines and the audit over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.accounts.people import Place
from tests.gateway.api.house import PASSWORD, Browser, House


async def names(browser: Browser, path: str = "/users") -> list[str]:
    return [it["name"] for it in (await browser.ask("GET", path)).body["items"]]


async def test_an_admin_adds_people_and_they_sign_in(house: House) -> None:
    await house.add("root", "admin")
    browser = await house.browser("root")
    body = {"name": "anna", "title": "Анна", "role": "operator", "lines": {"support": "operator"}}
    made = await browser.ask("POST", "/users", body)
    assert (made.status, made.body["title"], made.body["lines"]) == (201, "Анна", {"support": "operator"})
    assert (await (await house.browser()).sign_in("anna", made.body["password"])).status == 200
    assert (await browser.ask("POST", "/users", body)).kind == "conflict"
    own = await browser.ask("POST", "/users", {"name": "boris", "role": "analyst", "password": PASSWORD})
    assert (own.status, own.body["password"], own.body["title"]) == (201, "", "boris")
    await house.browser("boris")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": "Анна"}, "/name"),
        ({"name": "two words"}, "/name"),
        ({"name": ""}, "/name"),
        ({"title": "a\x00b"}, "/title"),
        ({"role": "owner"}, "/role"),
        ({"lines": {"nowhere": "operator"}}, "/lines"),
        ({"lines": {"support": "admin"}}, "/lines/support"),
        ({"password": "short"}, "/password"),
        ({"password": "x" * 1001}, "/password"),
        ({"id": 7}, "/id"),
        ({"active": "yes"}, "/active"),
    ],
)
async def test_values_that_cannot_be(house: House, change: dict[str, Any], pointer: str) -> None:
    await house.add("root", "admin")
    browser = await house.browser("root")
    answer = await browser.ask("POST", "/users", {"name": "anna", "role": "operator", **change})
    assert (answer.status, answer.kind) == (422, "invalid")
    assert pointer in [it["pointer"] for it in answer.body["errors"]]
    assert await names(browser) == ["root"]


async def test_who_sees_whom(house: House) -> None:
    await house.add("root", "admin")
    await house.add("anna", "operator", support="operator")
    await house.add("vera", "supervisor", support="supervisor")
    await house.add("boris", "operator", billing="operator")
    await house.add("lev", "analyst")
    seen = {name: await names(await house.browser(name)) for name in ("root", "anna", "vera", "boris", "lev")}
    assert seen == {
        "root": ["root", "anna", "vera", "boris", "lev"],
        "anna": ["anna"],
        "vera": ["anna", "vera"],
        "boris": ["boris"],
        "lev": ["lev"],
    }
    vera = await house.browser("vera")
    assert (await vera.ask("GET", "/users/2")).body["name"] == "anna"
    for path in ("/users/4", "/users/999", "/users/x", "/users/0", "/users/99999999999999999999"):
        assert (await vera.ask("GET", path)).status == 404


async def test_a_new_role_ends_the_sessions_and_lines_count_at_once(house: House) -> None:
    await house.add("root", "admin")
    await house.add("anna", "operator", support="operator")
    await house.add("boris", "operator", support="operator")
    root, anna = await house.browser("root"), await house.browser("anna")
    await root.ask("PATCH", "/users/2", {"lines": {"support": "supervisor"}})
    assert await names(anna) == ["anna", "boris"]
    assert house.ended == [2]
    assert (await root.ask("PATCH", "/users/2", {"role": "analyst"})).body["role"] == "analyst"
    assert (await anna.ask("GET", "/me")).status == 401
    assert house.ended == [2, 2]


async def test_deactivating_ends_sessions_tokens_and_whatever_is_open(house: House) -> None:
    await house.add("root", "admin")
    anna = await house.add("anna", "operator")
    _, secret = await house.people.add_token(anna, "crm", ("me:read",), 0.0, Place())
    root, person, machine = await house.browser("root"), await house.browser("anna"), await house.browser(token=secret)
    assert (await machine.ask("GET", "/me")).status == 200
    assert (await root.ask("PATCH", "/users/2", {"active": False})).status == 200
    assert (await person.ask("GET", "/me")).status == 401
    assert (await machine.ask("GET", "/me")).status == 401
    assert house.ended == [2]
    assert (await person.sign_in("anna")).kind == "wrong-sign-in"
    await root.ask("PATCH", "/users/2", {"active": True})
    assert (await person.sign_in("anna")).status == 200


async def test_the_only_admin_stays(house: House) -> None:
    await house.add("root", "admin")
    browser = await house.browser("root")
    for change in ({"active": False}, {"role": "operator"}):
        assert (await browser.ask("PATCH", "/users/1", change)).kind == "conflict"
    assert (await browser.ask("PATCH", "/users/9", {"title": "x"})).kind == "not-found"
    assert (await browser.ask("PATCH", "/users/1", {"password": "a new long password"})).status == 200
    assert (await browser.ask("GET", "/me")).status == 200  # one's own session stays


# --- tokens ----------------------------------------------------------------------------------------------------------


async def test_tokens_do_what_their_owner_may_and_end(house: House) -> None:
    await house.add("vera", "supervisor", support="supervisor")
    await house.add("anna", "operator", support="operator")
    vera, anna = await house.browser("vera"), await house.browser("anna")
    made = await vera.ask("POST", "/tokens", {"name": "crm", "scopes": ["users:read", "users:write"], "days": 1})
    assert (made.status, made.body["used_at"], made.body["scopes"]) == (201, None, ["users:read", "users:write"])
    machine = await house.browser(token=made.body["token"])
    assert await names(machine) == ["vera", "anna"]
    assert (await machine.ask("POST", "/users", {"name": "x", "role": "admin"})).kind == "not-allowed"
    (listed,) = (await vera.ask("GET", "/tokens")).body["items"]
    assert listed["used_at"] is not None
    assert "token" not in listed
    assert (await anna.ask("GET", "/tokens")).body["items"] == []
    assert (await anna.ask("DELETE", "/tokens/1")).status == 404
    house.clock.at += 86_400
    assert (await machine.ask("GET", "/users")).kind == "not-signed-in"
    vera = await house.browser("vera")
    assert (await vera.ask("DELETE", "/tokens/1")).status == 204
    assert (await vera.ask("DELETE", "/tokens/1")).status == 404


async def test_a_token_does_not_become_a_person(house: House) -> None:
    root = await house.add("root", "admin")
    _, secret = await house.people.add_token(root, "crm", ("users:write",), 0.0, Place())
    machine = await house.browser(token=secret)
    assert (await machine.ask("POST", "/users", {"name": "anna", "role": "operator"})).status == 201
    for change in ({"password": PASSWORD}, {"totp": False}, {"role": "admin"}):
        assert (await machine.ask("PATCH", "/users/2", change)).kind == "not-allowed"
    for more in ({"role": "admin"}, {"role": "operator", "password": PASSWORD}):
        assert (await machine.ask("POST", "/users", {"name": "eve", **more})).kind == "not-allowed"
    assert (await machine.ask("PATCH", "/users/2", {"active": False})).status == 200


# --- pages and the audit ---------------------------------------------------------------------------------------------


async def test_pages(house: House) -> None:
    await house.add("root", "admin")
    for number in range(6):
        await house.add(f"user{number}")
    browser = await house.browser("root")
    found, path = [], "/users?limit=3"
    while path:
        page = (await browser.ask("GET", path)).body
        found += [it["name"] for it in page["items"]]
        path = f"/users?limit=3&cursor={page['next']}" if page["next"] else ""
    assert found == ["root", *(f"user{it}" for it in range(6))]
    for bad in ("cursor=x", "cursor=aWQ6MA", "limit=0", "limit=201", "limit=x", "page=2", "limit=1&limit=2"):
        assert (await browser.ask("GET", f"/users?{bad}")).kind == "invalid"


async def test_the_audit_tells_who_did_what_and_no_secret(house: House) -> None:
    await house.add("root", "admin")
    browser = await house.browser("root")
    await browser.ask("POST", "/users", {"name": "anna", "role": "operator", "password": PASSWORD})
    await browser.ask("PATCH", "/users/2", {"title": "Анна", "password": "a new long password"})
    first = (await browser.ask("GET", "/audit?limit=2")).body
    rest = (await browser.ask("GET", f"/audit?cursor={first['next']}")).body
    rows = first["items"] + rest["items"]
    assert [(it["by"], it["action"], it["object"]) for it in rows] == [
        ("root", "user_changed", "user:2"),
        ("root", "user_added", "user:2"),
        ("root", "login", "user:1"),
        ("console", "user_added", "user:1"),
    ]
    assert rows[0]["detail"] == {"changed": ["password", "title"], "title": "Анна"}
    assert rows[0]["before"] == rows[1]["hash"]
    assert "password" not in str([it["detail"] for it in rows[1:]])
    assert (await house.accounts.check_audit()).broken == 0


# --- idempotency keys ------------------------------------------------------------------------------------------------


async def test_the_same_key_again_does_nothing_twice(house: House) -> None:
    await house.add("root", "admin")
    browser = await house.browser("root")
    change = {"title": "Root"}
    answers = [await browser.ask("PATCH", "/users/1", change, Idempotency_Key="k1") for _ in range(3)]
    assert {(it.status, str(it.body)) for it in answers} == {(200, str(answers[0].body))}
    rows = (await browser.ask("GET", "/audit")).body["items"]
    assert [it["action"] for it in rows].count("user_changed") == 1
    assert (await browser.ask("PATCH", "/users/1", {"title": "x"}, Idempotency_Key="k1")).kind == "other-request"
    assert (await browser.ask("PATCH", "/users/1", change, Idempotency_Key="x" * 129)).kind == "invalid"
    house.clock.at += 90_000
    browser = await house.browser("root")
    assert (await browser.ask("PATCH", "/users/1", {"title": "x"}, Idempotency_Key="k1")).status == 200


async def test_a_secret_is_shown_once(house: House) -> None:
    await house.add("root", "admin")
    browser = await house.browser("root")
    body = {"name": "crm", "scopes": ["me:read"]}
    made = await browser.ask("POST", "/tokens", body, Idempotency_Key="k")
    again = await browser.ask("POST", "/tokens", body, Idempotency_Key="k")
    assert (made.status, again.kind) == (201, "done-before")
    assert made.body["token"] not in str(again.body)
    assert len((await browser.ask("GET", "/tokens")).body["items"]) == 1


async def test_a_key_is_its_owners_and_free_after_a_refusal(house: House) -> None:
    await house.add("root", "admin")
    await house.add("second", "admin")
    one, other = await house.browser("root"), await house.browser("second")
    assert (await one.ask("PATCH", "/users/1", {"active": False}, Idempotency_Key="k")).status == 200
    assert (await other.ask("PATCH", "/users/2", {"active": False}, Idempotency_Key="k")).kind == "conflict"
    assert (await other.ask("PATCH", "/users/2", {"title": "x"}, Idempotency_Key="k")).status == 200


async def test_the_same_key_at_once(house: House) -> None:
    await house.add("root", "admin")
    browser = await house.browser("root")
    body = {"name": "anna", "role": "operator"}
    asked = (browser.ask("POST", "/users", body, Idempotency_Key="k") for _ in range(5))
    kinds = sorted(it.kind if it.status >= 400 else "made" for it in await asyncio.gather(*asked))
    assert kinds.count("made") == 1
    assert set(kinds) <= {"made", "under-way", "done-before"}
    assert await names(browser) == ["root", "anna"]
