"""Passwords: the parameters of the sheet, old hashes made anew, the loop never held up, names that nobody has."""

from __future__ import annotations

import asyncio
import time
import unicodedata

import pytest

from core.ports import Busy
from gateway.accounts.passwords import THREADS, WAITING, Passwords, generate
from gateway.accounts.people import Place
from tests.gateway.api.house import PASSWORD, ROOT, open_house

SHEET = "$argon2id$v=19$m=19456,t=2,p=1$"


@pytest.fixture
def quick() -> Passwords:
    return Passwords(memory=64, iterations=1)


async def test_hashes_have_the_parameters_of_the_sheet() -> None:
    passwords = Passwords()
    stored = await passwords.hash(PASSWORD)
    assert stored.startswith(SHEET)
    assert await passwords.check(stored, PASSWORD)
    assert not await passwords.check(stored, PASSWORD + " ")
    assert not passwords.is_old(stored)
    passwords.close()


async def test_the_same_letters_from_another_system_fit(quick: Passwords) -> None:
    whole = "ёжик и йод"
    apart = unicodedata.normalize("NFD", whole)
    assert whole != apart
    assert await quick.check(await quick.hash(whole), apart)


@pytest.mark.parametrize("stored", ["", "plain", "$argon2id$broken", "$2b$12$other"])
async def test_what_is_no_hash_fits_no_password(quick: Passwords, stored: str) -> None:
    assert not await quick.check(stored, "")
    assert not await quick.check(stored, stored)


async def test_a_name_that_nobody_has_takes_as_long() -> None:
    passwords = Passwords()
    stored = await passwords.hash(PASSWORD)
    await passwords.check("", PASSWORD)  # makes the hash that no password fits

    async def least(hashed: str) -> float:
        best = 1.0
        for _ in range(7):
            began = time.perf_counter()
            await passwords.check(hashed, "wrong password")
            best = min(best, time.perf_counter() - began)
        return best

    known, unknown = await least(stored), await least("")
    assert 0.5 < known / unknown < 2
    passwords.close()


async def test_the_loop_is_never_held_up() -> None:
    """While eight passwords are hashed, the loop goes on."""
    passwords = Passwords()
    work = asyncio.gather(*(passwords.hash(PASSWORD) for _ in range(8)))
    rounds = 0
    while not work.done():
        await asyncio.sleep(0)
        rounds += 1
    await work
    assert rounds > 100
    passwords.close()


async def test_too_many_at_once_are_asked_to_come_again(quick: Passwords) -> None:
    asked = (quick.hash(PASSWORD) for _ in range(THREADS + WAITING + 10))
    ended = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(it) for it in ended if isinstance(it, BaseException)] == [Busy] * 10


async def test_old_parameters_are_replaced_at_the_next_sign_in() -> None:
    async for house in open_house():
        user = await house.add("anna")
        old = await Passwords(memory=128, iterations=2).hash(PASSWORD)
        await house.accounts.change_user(user.id, {"password": old}, ROOT, 1.0)
        await house.people.sign_in("anna", PASSWORD, "", Place())
        found = await house.accounts.user(user.id)
        assert found is not None
        assert "m=64,t=1" in found.password
        await house.people.sign_in("anna", PASSWORD, "", Place())


def test_made_up_passwords_differ() -> None:
    assert len({generate() for _ in range(100)}) == 100
    assert len(generate()) == 20
