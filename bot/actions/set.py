"""`set`: give names a value; `client.*` writes the client's card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bot.model import Action
from bot.shapes import VALUE, Key, MapOf, Name
from bot.templates import Template
from core.locale import n_

if TYPE_CHECKING:
    from bot.engine.walk import Walk


@dataclass(frozen=True, slots=True, kw_only=True)
class Set(Action):
    word: ClassVar[str] = "set"
    about: ClassVar[str] = n_("give names a value")
    keys: ClassVar[tuple[Key, ...]] = (
        Key(
            "set",
            "values",
            MapOf(Name(prefix="client"), VALUE),
            required=True,
            about=n_("name: value; `client.name` is the client's card"),
        ),
    )
    values: dict[str, Template]

    def enter(self, walk: Walk) -> None:
        """Values see the ones set before them; `client.*` goes to the client's card."""
        card = {}
        for name, template in self.values.items():
            value = walk.value(template)
            if name.startswith("client."):
                card[name.removeprefix("client.")] = value
            else:
                walk.frame.values[name] = value
        if card:
            walk.write_client(card)
        walk.go("next")
