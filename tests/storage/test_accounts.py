"""Accounts on every store: users and their lines, sign-ins, tokens, guesses, the audit, answers under a key."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.access import Role, Sight
from core.accounts import Deed, LastAdmin, Login, NameTaken, Slowing, Token, User
from storage.accounts.schema import audit
from storage.copies import restore
from storage.sqlite import SQLiteStore
from tests.storage.making import AnyStore, FakeClock
from tests.storage.test_moving import run_sql

ALL = Sight(everything=True)
NOW = 1_000_000.0
DEED = Deed("root", "test")


def user(name: str, role: Role = "operator", **lines: Role) -> User:
    return User(0, name, name.title(), role, dict(lines), password="$argon2id$hash", language="ru")


async def add(store: AnyStore, name: str, role: Role = "operator", **lines: Role) -> User:
    return await store.accounts.add_user(user(name, role, **lines), DEED, NOW)


def login(user: int, digest: str, at: float = NOW) -> Login:
    return Login(digest, f"id-{digest}", user, at, at, at + 100, at + 1000, "Firefox", "10.0.0.0/24")


# --- users -----------------------------------------------------------------------------------------------------------


async def test_a_user_is_found_as_added(store: AnyStore) -> None:
    made = await add(store, "anna", "operator", support="operator", billing="supervisor")
    assert made.id == 1
    assert made == await store.accounts.user(1) == await store.accounts.user_named("anna")
    assert made.lines == {"support": "operator", "billing": "supervisor"}
    assert await store.accounts.user(2) is None
    assert await store.accounts.user_named("ann") is None


async def test_names_are_taken_once_also_at_once(store: AnyStore) -> None:
    tries = await asyncio.gather(*(add(store, "anna") for _ in range(5)), return_exceptions=True)
    assert [type(it) for it in tries if isinstance(it, BaseException)] == [NameTaken] * 4
    assert len(await store.accounts.users(ALL)) == 1
    assert (await store.accounts.check_audit()).rows == 1


async def test_who_may_be_seen_is_decided_in_the_sql(store: AnyStore) -> None:
    await add(store, "anna", support="operator")
    await add(store, "boris", billing="operator", sup="operator")
    await add(store, "vera", support="supervisor", billing="operator")
    await add(store, "root", "admin")

    async def seen(sight: Sight, **page: int) -> list[str]:
        return [it.name for it in await store.accounts.users(sight, **page)]

    assert await seen(ALL) == ["anna", "boris", "vera", "root"]
    assert await seen(Sight()) == []
    assert await seen(Sight(user=2)) == ["boris"]
    assert await seen(Sight(lines=("support",))) == ["anna", "vera"]
    assert await seen(Sight(lines=("support", "billing"))) == ["anna", "boris", "vera"]
    assert await seen(Sight(lines=("suppor", "port", "s_p", "%"))) == []  # a part of a name is no name
    assert await seen(Sight(lines=("billing",), user=4)) == ["boris", "vera", "root"]
    assert await seen(ALL, after=1, limit=2) == ["boris", "vera"]


async def test_a_change_replaces_lines_and_ends_sign_ins_but_one(store: AnyStore) -> None:
    made = await add(store, "anna", support="operator", billing="operator")
    for digest in ("a", "b", "c"):
        await store.accounts.add_login(login(made.id, digest), DEED)
    changes: dict[str, Any] = {"lines": {"billing": "supervisor"}, "recovery": ("x", "y")}
    changed = await store.accounts.change_user(1, changes, DEED, NOW + 5, keep="b")
    assert changed == await store.accounts.user(1)
    assert (changed.lines, changed.recovery, changed.changed_at) == ({"billing": "supervisor"}, ("x", "y"), NOW + 5)
    assert [it.digest for it in await store.accounts.logins(1, NOW)] == ["b"]
    await store.accounts.change_user(1, {"theme": "dark"}, DEED, NOW)
    assert len(await store.accounts.logins(1, NOW)) == 1
    with pytest.raises(LookupError):
        await store.accounts.change_user(7, {}, DEED, NOW)


async def test_deactivating_ends_everything(store: AnyStore) -> None:
    await add(store, "anna")
    await store.accounts.add_login(login(1, "a"), DEED)
    await store.accounts.add_token(Token(0, "t", 1, "crm", ("users:read",), NOW), DEED, NOW)
    await store.accounts.change_user(1, {"active": False}, DEED, NOW)
    assert await store.accounts.login("a", NOW) is None
    assert await store.accounts.token("t", NOW) is None
    assert await store.accounts.tokens(ALL) == []


async def test_there_is_always_an_admin(store: AnyStore) -> None:
    await add(store, "root", "admin")
    for changes in ({"active": False}, {"role": "analyst"}):
        with pytest.raises(LastAdmin):
            await store.accounts.change_user(1, changes, DEED, NOW)
    await add(store, "second", "admin")
    await store.accounts.change_user(1, {"active": False}, DEED, NOW)
    with pytest.raises(LastAdmin):
        await store.accounts.change_user(2, {"role": "operator"}, DEED, NOW)


async def test_codes_are_used_once(store: AnyStore) -> None:
    await add(store, "anna")
    await store.accounts.change_user(1, {"totp": "S", "recovery": ("x", "y")}, DEED, NOW)
    tries = await asyncio.gather(*(store.accounts.use_totp(1, 100) for _ in range(4)))
    assert sorted(tries) == [False, False, False, True]
    assert not await store.accounts.use_totp(1, 99)
    assert await store.accounts.use_totp(1, 101)
    assert [await store.accounts.use_recovery(1, it, DEED, NOW) for it in ("x", "x", "z", "y")] == [
        True,
        False,
        False,
        True,
    ]


# --- sign-ins and tokens ---------------------------------------------------------------------------------------------


async def test_a_sign_in_ends_idle_or_at_its_end(store: AnyStore) -> None:
    await add(store, "anna")
    await store.accounts.add_login(login(1, "a"), DEED)
    found = await store.accounts.login("a", NOW + 99)
    assert found is not None
    assert (found[0], found[1].name) == (login(1, "a"), "anna")
    assert await store.accounts.login("a", NOW + 100) is None
    await store.accounts.touch_login("a", NOW + 90, NOW + 5_000, "10.0.1.0/24")
    found = await store.accounts.login("a", NOW + 999)
    assert found is not None
    assert (found[0].seen_at, found[0].address) == (NOW + 90, "10.0.1.0/24")
    assert await store.accounts.login("a", NOW + 1000) is None
    assert await store.accounts.login("b", NOW) is None


async def test_a_new_sign_in_takes_the_place_of_another(store: AnyStore) -> None:
    await add(store, "anna")
    await store.accounts.add_login(login(1, "a"), DEED)
    await store.accounts.add_login(login(1, "b", NOW + 1), DEED, replaces="a")
    assert [it.digest for it in await store.accounts.logins(1, NOW)] == ["b"]
    await store.accounts.add_login(login(1, "c", NOW + 2_000), DEED)  # and forgets those that are over
    assert [it.digest for it in await store.accounts.logins(1, NOW)] == ["c"]


async def test_devices_are_signed_out_by_one_or_all(store: AnyStore) -> None:
    await add(store, "anna")
    await add(store, "boris")
    for place, digest in enumerate("abc"):
        await store.accounts.add_login(login(1, digest, NOW + place), DEED)
    await store.accounts.add_login(login(2, "other"), DEED)
    assert await store.accounts.end_logins(1, DEED, NOW, id="id-other") == 0
    assert await store.accounts.end_logins(1, DEED, NOW, id="id-b") == 1
    assert [it.digest for it in await store.accounts.logins(1, NOW)] == ["c", "a"]
    assert await store.accounts.end_logins(1, DEED, NOW, keep="a") == 1
    assert await store.accounts.end_logins(1, DEED, NOW) == 1
    assert await store.accounts.login("other", NOW) is not None


async def test_tokens(store: AnyStore) -> None:
    await add(store, "anna")
    await add(store, "boris")
    one = await store.accounts.add_token(Token(0, "t1", 1, "crm", ("users:read",), NOW), DEED, NOW)
    two = await store.accounts.add_token(Token(0, "t2", 2, "bi", (), NOW, ends_at=NOW + 10), DEED, NOW)
    assert (one.id, two.id) == (1, 2)
    await store.accounts.touch_token(1, NOW + 3)
    found = await store.accounts.token("t1", NOW + 1e9)
    assert found is not None
    assert (found[0], found[1].name) == (msgspec.structs.replace(one, used_at=NOW + 3), "anna")
    assert await store.accounts.token("t2", NOW + 9) is not None
    assert await store.accounts.token("t2", NOW + 10) is None
    assert [it.id for it in await store.accounts.tokens(Sight(user=2))] == [2]
    assert not await store.accounts.drop_token(Sight(user=1), 2, DEED, NOW)
    assert await store.accounts.drop_token(Sight(user=2), 2, DEED, NOW)
    assert not await store.accounts.drop_token(ALL, 2, DEED, NOW)
    again = await store.accounts.add_token(Token(0, "t3", 2, "bi", (), NOW), DEED, NOW)
    assert again.id == 3  # the audit speaks of tokens by their numbers: none is given twice


# --- guesses ---------------------------------------------------------------------------------------------------------

SLOW = {"user:anna": Slowing(2, 8.0)}


async def test_guesses_are_slowed_and_never_for_ever(store: AnyStore) -> None:
    waits, now = [], NOW
    for _ in range(12):
        wait = await store.accounts.try_guess(SLOW, now)
        waits.append(wait)
        now += wait
    assert waits == [0, 0, 0, 1, 0, 2, 0, 4, 0, 8, 0, 8]
    await store.accounts.forgive(["user:anna"], {})
    assert await store.accounts.try_guess(SLOW, now) == 0
    assert await store.accounts.try_guess(SLOW, now) == 0


async def test_guesses_at_once_are_no_more_than_one_after_another(store: AnyStore) -> None:
    waits = await asyncio.gather(*(store.accounts.try_guess(SLOW, NOW) for _ in range(20)))
    assert sum(not wait for wait in waits) == 3


async def test_a_day_later_guesses_are_forgotten(store: AnyStore) -> None:
    for _ in range(4):
        await store.accounts.try_guess(SLOW, NOW)
    assert await store.accounts.try_guess(SLOW, NOW + 90_000) == 0
    assert await store.accounts.try_guess(SLOW, NOW + 90_000) == 0


async def test_a_right_attempt_does_not_count(store: AnyStore) -> None:
    for _ in range(30):
        assert await store.accounts.try_guess(SLOW, NOW) == 0
        await store.accounts.forgive([], SLOW)
    waits = [await store.accounts.try_guess(SLOW, NOW) for _ in range(4)]
    assert waits == [0, 0, 0, 1]
    await store.accounts.forgive([], SLOW)
    assert await store.accounts.try_guess(SLOW, NOW) == 0
    assert await store.accounts.try_guess(SLOW, NOW) == 1


async def test_one_slowed_scope_keeps_the_others_uncounted(store: AnyStore) -> None:
    await store.accounts.try_guess({"a": Slowing(0, 60)}, NOW)
    for _ in range(5):
        assert await store.accounts.try_guess({"a": Slowing(0, 60), "b": Slowing(0, 60)}, NOW) == 1
    assert await store.accounts.try_guess({"b": Slowing(0, 60)}, NOW) == 0


# --- the audit -------------------------------------------------------------------------------------------------------


async def test_every_change_is_in_the_audit(store: AnyStore) -> None:
    await add(store, "anna")
    await store.accounts.note(Deed("anna", "login", "user:1", {"b": 1, "a": "я"}, "10.0.0.0/24"), NOW + 1)
    newest, first = await store.accounts.audit(ALL)
    assert (first.id, first.by, first.action, first.object, first.at) == (1, "root", "test", "user:1", NOW)
    assert (newest.detail, newest.address, newest.before) == ({"b": 1, "a": "я"}, "10.0.0.0/24", first.hash)
    assert await store.accounts.audit(ALL, before=2) == [first]
    assert await store.accounts.audit(Sight(user=1)) == []
    state = await store.accounts.check_audit()
    assert (state.rows, state.broken, state.head) == (2, 0, f"2:{newest.hash}")
    assert (await store.accounts.check_audit(f"1:{first.hash}")).broken == 0
    assert (await store.accounts.check_audit(f"1:{newest.hash}")).why == "head"
    assert (await store.accounts.check_audit("9:x")).why == "cut"


async def test_what_fails_leaves_no_row(store: AnyStore) -> None:
    await add(store, "anna")
    with pytest.raises(NameTaken):
        await add(store, "anna")
    assert (await store.accounts.check_audit()).rows == 1


async def test_rows_added_at_once_make_one_chain(store: AnyStore) -> None:
    await asyncio.gather(*(store.accounts.note(Deed("x", "n", str(it)), NOW) for it in range(25)))
    state = await store.accounts.check_audit()
    assert (state.rows, state.broken) == (25, 0)


@pytest.mark.parametrize("column", [it.name for it in audit.columns])
async def test_a_change_of_any_column_is_found(column: str, path: Path, clock: FakeClock) -> None:
    await _filled(path, clock)
    values = {"id": "77", "at": "at + 0.001", "detail": "x'7b7d20'"}
    run_sql(path, f"UPDATE audit SET {column} = {values.get(column, repr('other'))} WHERE id = 2")
    assert await _broken(path, clock) == 2


@pytest.mark.parametrize(
    ("statement", "broken", "why"),
    [
        ("DELETE FROM audit WHERE id = 2", 2, "missing"),
        ("DELETE FROM audit WHERE id = 1", 1, "missing"),
        ("DELETE FROM audit WHERE id = 4", 4, "cut"),
        ("DELETE FROM audit", 1, "cut"),
        ("UPDATE audit SET id = CASE id WHEN 2 THEN 30 WHEN 3 THEN 20 ELSE id END", 2, "missing"),
        (
            "INSERT INTO audit SELECT 5, at, by, action, object, detail, address, hash, hash FROM audit WHERE id = 4",
            5,
            "changed",
        ),
    ],
)
async def test_rows_taken_out_or_put_in_are_found(
    statement: str, broken: int, why: str, path: Path, clock: FakeClock
) -> None:
    await _filled(path, clock)
    run_sql(path, statement)
    assert await _broken(path, clock) == broken
    assert await _why(path, clock) == why


async def _filled(path: Path, clock: FakeClock) -> None:
    store = SQLiteStore(path, clock)
    await store.open()
    for number in range(4):
        await store.accounts.note(Deed("root", "test", f"it:{number}", {"n": number}, "net"), NOW + number)
    await store.close()


async def _check(path: Path, clock: FakeClock) -> Any:
    store = SQLiteStore(path, clock)
    await store.open()
    try:
        return await store.accounts.check_audit()
    finally:
        await store.close()


async def _broken(path: Path, clock: FakeClock) -> int:
    return int((await _check(path, clock)).broken)


async def _why(path: Path, clock: FakeClock) -> str:
    return str((await _check(path, clock)).why)


# --- answers under a key ---------------------------------------------------------------------------------------------


async def test_a_write_under_a_key_is_done_once(store: AnyStore) -> None:
    begun = await asyncio.gather(*(store.accounts.begin_request("user:1", "k", "d", NOW) for _ in range(5)))
    assert [it is None for it in begun].count(True) == 1
    await store.accounts.end_request("user:1", "k", 201, b"{}")
    known = await store.accounts.begin_request("user:1", "k", "d", NOW + 50)
    assert known is not None
    assert (known.status, known.body, known.digest) == (201, b"{}", "d")
    assert await store.accounts.begin_request("user:2", "k", "d", NOW) is None
    assert await store.accounts.begin_request("user:1", "k", "d", NOW + 90_000) is None


async def test_a_key_that_came_to_nothing_is_free_again(store: AnyStore) -> None:
    assert await store.accounts.begin_request("user:1", "k", "d", NOW) is None
    await store.accounts.end_request("user:1", "k", 0, b"")
    assert await store.accounts.begin_request("user:1", "k", "d", NOW) is None
    hanging = await store.accounts.begin_request("user:1", "k", "d", NOW + 59)
    assert hanging is not None
    assert await store.accounts.begin_request("user:1", "k", "d", NOW + 61) is None  # its process has died


# --- copies ----------------------------------------------------------------------------------------------------------


async def test_a_restored_copy_signs_nobody_in(path: Path, clock: FakeClock) -> None:
    store = SQLiteStore(path, clock)
    await store.open()
    await add(store, "anna")
    await store.accounts.add_login(login(1, "a"), DEED)
    await store.accounts.begin_request("user:1", "k", "d", NOW)
    await store.close()
    await restore(f"sqlite:///{path}", clock)
    with closing(sqlite3.connect(path)) as copy:
        found = [copy.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("users", "logins", "requests")]
    assert found == [1, 0, 0]
