"""Signing in and out: cookies, second factors, devices, guesses, other sites."""

from __future__ import annotations

import asyncio

import pyotp
import pytest

from gateway.accounts.opaque import digest
from gateway.api.reading import LARGEST
from tests.gateway.api.house import PASSWORD, ROOT, Browser, House

NEW = "another long password"


async def me(browser: Browser) -> int:
    return (await browser.ask("GET", "/me")).status


async def test_a_person_signs_in_and_out(house: House) -> None:
    await house.add("anna", "operator", support="operator")
    browser = await house.browser()
    assert await me(browser) == 401
    answer = await browser.sign_in("anna")
    assert answer.status == 200
    assert (answer.body["name"], answer.body["role"], answer.body["lines"]) == (
        "anna",
        "operator",
        {"support": "operator"},
    )
    assert "password" not in answer.body
    assert await me(browser) == 200
    assert (await browser.ask("POST", "/logout")).status == 204
    assert await me(browser) == 401
    assert (await browser.ask("POST", "/logout")).status == 204


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_hosts(house: House, secure: House) -> None:
    for each in (house, secure):
        await each.add("anna")
    plain = (await (await house.browser()).sign_in("anna")).headers["Set-Cookie"]
    assert plain.startswith("frontline=fls_")
    assert "Secure" not in plain
    browser = await secure.browser()
    said = await browser.ask(
        "POST", "/login", {"name": "anna", "password": PASSWORD}, Origin="https://desk.example.org"
    )
    cookie = said.headers["Set-Cookie"]
    assert cookie.startswith("__Host-frontline=fls_")
    for part in ("HttpOnly", "Secure", "SameSite=Strict", "Path=/", "Max-Age=43200"):
        assert part in cookie
    assert "Domain" not in cookie


async def test_only_hashes_are_kept(house: House) -> None:
    user = await house.add("anna")
    browser = await house.browser("anna")
    (login,) = await house.accounts.logins(user.id, house.clock.now())
    secret = next(iter(browser.client.session.cookie_jar)).value
    assert login.digest == digest(secret)
    assert secret not in repr(login)
    assert user.password.startswith("$argon2id$")


async def test_wrong_names_and_wrong_passwords_are_told_alike(house: House) -> None:
    await house.add("anna")
    gone = await house.add("boris")
    await house.people.change(gone.id, {"active": False}, ROOT)
    browser = await house.browser()
    answers = [
        await browser.sign_in("anna", "wrong password"),
        await browser.sign_in("nobody"),
        await browser.sign_in("boris"),
    ]
    assert {(it.status, str(it.body)) for it in answers} == {(401, str(answers[0].body))}
    assert answers[0].kind == "wrong-sign-in"
    assert answers[0].headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_session_is_another_one_after_each_sign_in(house: House) -> None:
    """A secret that somebody planted before is worth nothing after (session fixation)."""
    user = await house.add("anna")
    browser = await house.browser("anna")
    first = next(iter(browser.client.session.cookie_jar)).value
    await browser.sign_in("anna")
    assert next(iter(browser.client.session.cookie_jar)).value != first
    assert len(await house.accounts.logins(user.id, house.clock.now())) == 1
    stolen = await house.browser()
    assert (await stolen.ask("GET", "/me", Cookie=f"frontline={first}")).status == 401


async def test_sessions_end_idle_and_at_their_end(house: House) -> None:
    await house.add("anna")
    idle, busy = await house.browser("anna"), await house.browser("anna")
    for _ in range(14):
        house.clock.at += 3000
        assert await me(busy) == 200
    assert await me(idle) == 401
    house.clock.at += 1200  # 12 h after signing in
    assert await me(busy) == 401


async def test_devices_are_listed_and_signed_out(house: House) -> None:
    await house.add("anna")
    await house.add("boris")
    other = await house.browser("boris")
    phone, desk, third = [await house.browser("anna") for _ in range(3)]
    items = (await desk.ask("GET", "/me/devices")).body["items"]
    assert [it["current"] for it in items].count(True) == 1
    assert len(items) == 3
    assert "Python" in items[0]["device"]
    assert items[0]["network"] == "127.0.0.0/24"
    mine = next(it["id"] for it in items if it["current"])
    assert (await other.ask("DELETE", f"/me/devices/{mine}")).status == 404
    assert (await phone.ask("DELETE", f"/me/devices/{mine}")).status == 204
    assert await me(desk) == 401
    assert (await phone.ask("DELETE", f"/me/devices/{mine}")).status == 404
    assert (await phone.ask("DELETE", "/me/devices")).status == 204
    assert (await me(phone), await me(third), await me(other)) == (200, 401, 200)
    assert house.ended == [1, 1]


async def test_a_new_password_signs_all_others_out(house: House) -> None:
    await house.add("anna")
    browser, other = await house.browser("anna"), await house.browser("anna")
    before = next(iter(browser.client.session.cookie_jar)).value
    wrong = await browser.ask("POST", "/me/password", {"old": "wrong password", "new": NEW})
    assert (wrong.status, wrong.kind) == (401, "wrong-sign-in")
    short = await browser.ask("POST", "/me/password", {"old": PASSWORD, "new": "short"})
    assert (short.status, short.body["errors"][0]["pointer"]) == (422, "/password")
    assert (await browser.ask("POST", "/me/password", {"old": PASSWORD, "new": NEW})).status == 200
    assert next(iter(browser.client.session.cookie_jar)).value != before
    assert (await me(browser), await me(other)) == (200, 401)
    assert (await other.sign_in("anna")).status == 401
    assert (await other.sign_in("anna", NEW)).status == 200


async def test_language_and_theme(house: House) -> None:
    await house.add("anna")
    browser = await house.browser("anna")
    answer = await browser.ask("PATCH", "/me", {"language": "en", "theme": "dark"})
    assert (answer.body["language"], answer.body["theme"]) == ("en", "dark")
    assert (await browser.ask("PATCH", "/me", {"role": "admin"})).status == 422
    assert (await browser.ask("PATCH", "/me", {"language": "fr"})).status == 422


# --- the second factor -----------------------------------------------------------------------------------------------


async def with_totp(house: House, browser: Browser) -> tuple[pyotp.TOTP, list[str]]:
    begun = await browser.ask("POST", "/me/totp", {"password": PASSWORD})
    assert begun.body["link"].startswith("otpauth://totp/frontline:anna?secret=")
    app = pyotp.TOTP(begun.body["secret"])
    done = await browser.ask("POST", "/me/totp", {"code": app.at(int(house.clock.at))})
    assert done.status == 200
    return app, done.body["recovery_codes"]


async def test_a_second_factor_is_asked_for_and_its_codes_are_used_once(house: House) -> None:
    await house.add("anna")
    browser, other = await house.browser("anna"), await house.browser("anna")
    assert (await browser.ask("POST", "/me/totp", {"password": "wrong password"})).status == 401
    assert (await browser.ask("POST", "/me/totp", {"code": "123456"})).kind == "wrong-code"
    app, spare = await with_totp(house, browser)
    assert (await me(browser), await me(other)) == (200, 401)
    assert (await other.sign_in("anna")).kind == "code-needed"
    used = app.at(int(house.clock.at))
    assert (await other.sign_in("anna", code=used)).kind == "wrong-code"  # it set the factor up
    house.clock.at += 30
    code = app.at(int(house.clock.at))
    assert (await other.sign_in("anna", code=code)).status == 200
    assert (await other.sign_in("anna", code=code)).kind == "wrong-code"
    assert len(spare) == 10
    assert (await other.sign_in("anna", code=spare[3].lower().replace("-", ""))).status == 200
    assert (await other.sign_in("anna", code=spare[3])).kind == "wrong-code"
    assert (await other.ask("GET", "/me")).body["recovery_codes"] == 9


@pytest.mark.parametrize(("late", "status"), [(-60, 401), (-30, 200), (0, 200), (30, 200), (60, 401)])
async def test_a_clock_may_be_wrong_by_one_step(house: House, late: int, status: int) -> None:
    await house.add("anna")
    app, _ = await with_totp(house, await house.browser("anna"))
    house.clock.at += 600
    other = await house.browser()
    assert (await other.sign_in("anna", code=app.at(int(house.clock.at) + late))).status == status


async def test_one_code_opens_one_of_many_sign_ins_at_once(house: House) -> None:
    await house.add("anna")
    app, _ = await with_totp(house, await house.browser("anna"))
    house.clock.at += 600
    code = app.at(int(house.clock.at))
    browsers = [await house.browser() for _ in range(4)]
    answers = await asyncio.gather(*(it.sign_in("anna", code=code) for it in browsers))
    assert sorted(it.status for it in answers) == [200, 401, 401, 401]


async def test_the_second_factor_is_taken_away_with_proof(house: House) -> None:
    await house.add("anna")
    browser = await house.browser("anna")
    app, _ = await with_totp(house, browser)
    assert (await browser.ask("POST", "/me/totp", {"password": PASSWORD})).kind == "conflict"
    house.clock.at += 60
    code = app.at(int(house.clock.at))
    assert (await browser.ask("DELETE", "/me/totp", {"password": PASSWORD, "code": "000000"})).status == 401
    assert (await browser.ask("DELETE", "/me/totp", {"password": PASSWORD, "code": code})).status == 204
    assert (await browser.ask("GET", "/me")).body["totp"] is False
    assert (await browser.ask("DELETE", "/me/totp", {"password": PASSWORD, "code": code})).kind == "conflict"
    assert (await (await house.browser()).sign_in("anna")).status == 200


# --- guesses ---------------------------------------------------------------------------------------------------------


async def test_guesses_are_told_to_wait(house: House) -> None:
    await house.add("anna")
    browser = await house.browser()
    for _ in range(6):
        assert (await browser.sign_in("anna", "wrong password")).status == 401
    slowed = await browser.sign_in("anna")  # even the right one
    assert (slowed.status, slowed.kind, slowed.headers["Retry-After"]) == (429, "slow-down", "1")
    house.clock.at += 1
    assert (await browser.sign_in("anna")).status == 200


# --- other sites -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1.evil.example"},
        {"Origin": "http://[broken"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"X_Frontline": ""},
    ],
)
async def test_pages_of_other_sites_cannot_write(house: House, headers: dict[str, str]) -> None:
    await house.add("anna")
    browser = await house.browser("anna")
    answer = await browser.ask("PATCH", "/me", {"theme": "dark"}, **headers)
    assert (answer.status, answer.kind) == (403, "foreign-site")
    login = await browser.ask("POST", "/login", {"name": "anna", "password": PASSWORD}, **headers)
    assert login.kind == "foreign-site"
    assert (await browser.ask("GET", "/me")).body["theme"] == ""


async def test_our_own_pages_can(house: House, secure: House) -> None:
    for each, origin in ((house, f"http://127.0.0.1:{house.server.port}"), (secure, "https://desk.example.org")):
        await each.add("anna")
        browser = await each.browser()
        body = {"name": "anna", "password": PASSWORD}
        assert (await browser.ask("POST", "/login", body, Origin=origin, Sec_Fetch_Site="same-origin")).status == 200
    assert (await browser.ask("POST", "/login", body, Origin="http://desk.example.org")).kind == "foreign-site"


# --- bad input -------------------------------------------------------------------------------------------------------


async def test_bodies_that_cannot_be_read(house: House) -> None:
    await house.add("anna")
    browser = await house.browser("anna")

    async def patch(data: bytes, kind: str = "application/json") -> tuple[int, str]:
        headers = {**browser.headers, "Content-Type": kind}
        answer = await browser.client.patch("/api/v1/me", data=data, headers=headers)
        assert answer.content_type == "application/problem+json"
        return answer.status, (await answer.json())["type"].removeprefix("urn:frontline:")

    assert await patch(b"{") == (400, "unreadable")
    assert await patch(b"\xff") == (400, "unreadable")
    assert await patch(b"{}", "text/plain") == (415, "not-json")
    assert await patch(b" " * (LARGEST + 1)) == (413, "too-large")
    assert await patch(b"[]") == (422, "invalid")
    assert await patch(b'{"theme": "\\ud800"}') in [(422, "invalid"), (400, "unreadable")]


async def test_what_is_not_there_is_a_problem_too(house: House) -> None:
    browser = await house.browser()
    for path in ("/", "/nothing", "/users/1/2"):
        assert (await browser.ask("GET", path)).kind == "not-found"
    answer = await browser.ask("PUT", "/me")
    assert (answer.status, answer.kind, answer.headers["Allow"]) == (405, "no-method", "GET, PATCH")
    assert (await browser.ask("POST", "/openapi.json")).headers["Allow"] == "GET"
    assert (await browser.ask("GET", "/me", Authorization="Bearer flt_wrong")).status == 401


async def test_odd_headers_do_no_harm(house: House) -> None:
    await house.add("anna")
    browser = await house.browser()
    headers = {**browser.headers, "User-Agent": "Fire\udcfffox\tЫ", "Content-Type": "application/json"}
    body = b'{"name": "anna", "password": "correct horse battery"}'
    answer = await browser.client.post("/api/v1/login", data=body, headers=headers)
    assert answer.status == 200
    (device,) = (await browser.ask("GET", "/me/devices")).body["items"]
    assert device["device"].startswith("Fire")
