"""Who plays: the people at work, the clients with their orders, and the stories of `stories.yaml`."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from core.access import Role

STORIES = Path(__file__).parent / "stories.yaml"
UNCAUGHT = "uncaught"
BOTH: dict[str, Role] = {"support": "operator", "billing": "operator"}


@dataclass(frozen=True)
class Member:
    """One at work. Who `signs_in` is played by whoever looks at the demo; the others act by themselves."""

    name: str
    title: str
    role: Role
    lines: dict[str, Role] = field(default_factory=dict)
    signs_in: bool = False
    capacity: int = 0
    presence: str = ""


OPERATOR, SUPERVISOR, ADMIN = "operator", "supervisor", "admin"
CREW = (
    Member(ADMIN, "Администратор", "admin", signs_in=True),
    Member(SUPERVISOR, "Вера", "supervisor", {"support": "supervisor", "billing": "supervisor"}, signs_in=True),
    Member(OPERATOR, "Анна", "operator", BOTH, signs_in=True),
    Member("oleg", "Олег", "operator", {"support": "operator"}, capacity=2, presence="online"),
    Member("nina", "Нина", "operator", BOTH, capacity=2, presence="online"),
    Member("pavel", "Павел", "operator", {"billing": "operator"}, capacity=2, presence="break"),
    Member("timur", "Тимур", "analyst"),
)

GOODS = (
    ("Термос «Полюс» 1 л", "2490,00"),
    ("Палатка «Вьюга»", "15990,00"),
    ("Куртка «Мороз»", "12990,00"),
    ("Фонарь налобный", "1590,00"),
    ("Рюкзак «Тропа» 60 л", "8990,00"),
    ("Спальник «Тундра»", "7490,00"),
    ("Котелок походный", "1290,00"),
    ("Ботинки «Перевал»", "9890,00"),
)
STATES = (
    ("доставлен", "да", 3, ""),
    ("доставлен", "да", 0, ""),
    ("в пути", "нет", 0, "Курьер позвонит за час до приезда."),
    ("собирается на складе", "нет", 0, ""),
    ("доставлен", "да", 6, ""),
    ("отменён", "нет", 0, ""),
)


@dataclass(frozen=True)
class Client:
    """An invented client. `channels` are the kinds of their messengers, the usual one first."""

    number: int
    name: str
    kinds: tuple[str, ...]

    @property
    def phone(self) -> str:
        return f"+7900000{self.number:04d}"

    @property
    def order(self) -> str:
        return str(300_000 + self.number)

    @property
    def goods(self) -> str:
        return GOODS[self.number % len(GOODS)][0]

    @property
    def inn(self) -> str:
        """Ten digits with a right check digit, of a region that there is none of."""
        body = f"99{self.number:07d}"
        weights = (2, 4, 10, 3, 5, 9, 4, 6, 8)
        return body + str(sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11 % 10)

    @property
    def row(self) -> tuple[str, ...]:
        """Their order in the table of the shop."""
        state, delivered, days, remark = STATES[self.number % len(STATES)]
        title, price = GOODS[self.number % len(GOODS)]
        return self.order, self.phone, state, title, price, delivered, str(days), remark

    def says(self, text: str, stars: int = 5) -> str:
        """A line of a story in this client's words."""
        known = {"order": self.order, "phone": self.phone, "inn": self.inn, "goods": self.goods, "name": self.name}
        return re.sub(r"\{(\w+)\}", lambda found: str({**known, "stars": stars}.get(found[1], found[0])), text)


KINDS = ("telegram", "telegram", "telegram", "web", "vk", "telegram", "web", "max", "telegram", "vk")


INITIALS = ("", " К.", " С.")


def clients() -> list[Client]:
    """The same ones at every call. Some have two messengers."""
    names = [name + initial for initial in INITIALS for name in stories().names]
    return [
        Client(number, name, tuple(dict.fromkeys((KINDS[number % len(KINDS)], *_second(number)))))
        for number, name in enumerate(names)
    ]


def _second(number: int) -> tuple[str, ...]:
    return ("vk",) if number % 9 == 0 else ("telegram",) if number % 14 == 3 else ()


Rule = tuple[re.Pattern[str], str]


@dataclass(frozen=True)
class Story:
    """What a client comes for. `leaves`: after so many answers there come no more; 0: they stay to the end."""

    name: str
    opens: tuple[tuple[str, ...], ...]
    weight: int = 1
    answers: tuple[Rule, ...] = ()
    talk: tuple[dict[str, Any], ...] = ()
    people: bool = False
    stars: tuple[int, ...] = (5, 5, 5, 4, 4, 3)
    leaves: int = 0


@dataclass(frozen=True)
class Stories:
    """All of them, and what every client answers."""

    answers: tuple[Rule, ...]
    uncaught: tuple[str, ...]
    stories: tuple[Story, ...]
    names: tuple[str, ...]
    talk: tuple[dict[str, Any], ...]

    def pick(self, dice: random.Random, people: bool | None = None) -> Story:
        """One by its weight, with people or without."""
        fit = [story for story in self.stories if people is None or story.people is people]
        return dice.choices(fit, [story.weight for story in fit])[0]

    def named(self, name: str) -> Story:
        return next(story for story in self.stories if story.name == name)


@cache
def stories() -> Stories:
    """As they stand in the file."""
    found = yaml.safe_load(STORIES.read_text("utf-8"))
    return Stories(
        _rules(found["answers"]),
        tuple(found["uncaught"]),
        tuple(map(_story, found["stories"])),
        tuple(found["names"].split()),
        tuple(found["talk"]),
    )


def _story(row: dict[str, Any]) -> Story:
    opens = tuple(tuple(one) if isinstance(one, list) else (one,) for one in row["opens"])
    rest = {name: row[name] for name in ("weight", "people", "leaves") if name in row}
    stars = tuple(row.get("stars", Story.stars))
    return Story(
        row["name"], opens, answers=_rules(row.get("answers", [])), talk=tuple(row.get("talk", [])), stars=stars, **rest
    )


def _rules(rows: list[list[str]]) -> tuple[Rule, ...]:
    return tuple((re.compile(pattern, re.IGNORECASE), words) for pattern, words in rows)
