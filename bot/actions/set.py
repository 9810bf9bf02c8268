"""`set`: give names a value; `client.*` writes the client's card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bot.model import Action
from bot.shapes import TEMPLATE, Key, MapOf, Name
from bot.templates import Template
from core.locale import n_


@dataclass(frozen=True, slots=True, kw_only=True)
class Set(Action):
    word: ClassVar[str] = "set"
    about: ClassVar[str] = n_("give names a value")
    keys: ClassVar[tuple[Key, ...]] = (
        Key(
            "set",
            "values",
            MapOf(Name(prefix="client"), TEMPLATE),
            required=True,
            about=n_("name: value; `client.name` is the client's card"),
        ),
    )
    values: dict[str, Template]
