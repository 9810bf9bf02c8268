"""Guesses at passwords: 100,000 of them get nowhere, and keep nobody out for ever."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from core.accounts import User
from gateway.accounts.passwords import Passwords
from gateway.accounts.people import People, Place
from gateway.accounts.refused import SignInRefused
from gateway.accounts.slowing import ACCOUNT, NETWORK, PAIR, network_of
from tests.gateway.api.house import PASSWORD, ROOT, House, open_house

GUESSES = 100_000
FEWER = 20_000  # of the same, where fewer show it
DAY = 86_400.0


class Counted(Passwords):
    """Passwords that are compared as they are: what is counted is how many are looked at."""

    looked = 0

    async def check(self, stored: str, password: str) -> bool:
        self.looked += 1
        return bool(stored) and password == PASSWORD

    def is_old(self, stored: str) -> bool:
        return False


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async for made in open_house():
        yield made


@pytest.fixture
def counted() -> Counted:
    return Counted(memory=64, iterations=1)


@pytest.fixture
async def people(house: House, counted: Counted) -> People:
    await house.add("anna")
    it = house.people
    return People(it.accounts, it.settings, (), it.now, it.endings, counted)


async def guess(people: People, name: str, address: str, password: str = "wrong") -> str:
    try:
        await people.sign_in(name, password, "", Place(address))
    except SignInRefused as refused:
        return refused.why
    return "in"


def address(number: int) -> str:
    """Each in a network of its own."""
    return f"{11 + (number >> 16)}.{number >> 8 & 255}.{number & 255}.7"


async def test_one_address_guesses_at_one_account(house: House, people: People, counted: Counted) -> None:
    """A day long, a guess every few seconds: about a hundred are looked at."""
    for _ in range(FEWER):
        assert await guess(people, "anna", "198.51.100.7") in {"wrong", "wait"}
        house.clock.at += DAY / FEWER
    assert counted.looked <= PAIR.free + 12 + DAY / PAIR.longest
    assert await guess(people, "anna", "203.0.113.9", PASSWORD) in {"in", "wait"}
    house.clock.at += ACCOUNT.longest
    assert await guess(people, "anna", "203.0.113.9", PASSWORD) == "in"  # the owner is elsewhere


async def test_a_hundred_thousand_addresses_guess_at_one_account(
    house: House, people: People, counted: Counted
) -> None:
    """Its owner, who is signed in, is not slowed; and comes in from a new place as soon as the guessing ends."""
    assert await guess(people, "anna", "203.0.113.9", PASSWORD) == "in"
    counted.looked = 0
    for number in range(GUESSES):
        assert await guess(people, "anna", address(number)) in {"wrong", "wait"}
        house.clock.at += 0.03
    assert counted.looked <= ACCOUNT.free + 8 + GUESSES * 0.03 / ACCOUNT.longest
    assert await guess(people, "anna", "203.0.113.9", PASSWORD) == "in"
    house.clock.at += ACCOUNT.longest
    assert await guess(people, "anna", "192.0.2.1", PASSWORD) == "in"


async def test_one_address_guesses_at_many_accounts(house: House, people: People, counted: Counted) -> None:
    """One guess at each of many names, most of which nobody has."""
    for number in range(FEWER):
        await guess(people, f"user{number}", "198.51.100.7")
        house.clock.at += 0.1
    assert counted.looked <= NETWORK.free + 12 + FEWER * 0.1 / NETWORK.longest
    house.clock.at += NETWORK.longest
    assert await guess(people, "anna", "198.51.100.7", PASSWORD) == "in"


async def test_attempts_are_counted(house: House) -> None:
    heard: list[str] = []
    await house.add("anna")
    it = house.people
    people = People(it.accounts, it.settings, (), it.now, it.endings, Counted(memory=64), count=heard.append)
    for password in (PASSWORD, *["wrong"] * 7):
        await guess(people, "anna", "198.51.100.7", password)
    assert heard == ["ok", *["wrong"] * 6, "wait"]


async def test_a_whole_office_signs_in_from_one_address(house: House, people: People) -> None:
    for number in range(200):
        await people.accounts.add_user(User(0, f"user{number}", "", "operator", password="x"), ROOT, people.now())
        assert await guess(people, f"user{number}", "198.51.100.7", PASSWORD) == "in"


async def test_signing_in_rightly_wins_no_guesses(house: House, people: People, counted: Counted) -> None:
    """Somebody with an account of their own guesses at others in between."""
    await people.accounts.add_user(User(0, "mallory", "", "operator", password="x"), ROOT, people.now())
    for _ in range(500):
        assert await guess(people, "mallory", "198.51.100.7", PASSWORD) == "in"
        await guess(people, "anna", "198.51.100.7")
    assert await guess(people, "anna", "198.51.100.7") == "wait"
    assert counted.looked <= 500 + PAIR.free + 2


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.0/24"),
        ("2001:db8:1:2:3::7", "2001:db8:1:2::/64"),
        ("", ""),
        ("not an address", ""),
    ],
)
def test_networks(address: str, network: str) -> None:
    assert network_of(address) == network
