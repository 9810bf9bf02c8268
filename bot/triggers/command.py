"""`command`: a command of the channel, `/status`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bot.model import Trigger
from bot.shapes import TEXT, Key
from core.locale import n_


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Trigger):
    word: ClassVar[str] = "command"
    level: ClassVar[int] = 2
    about: ClassVar[str] = n_("a command of the channel")
    keys: ClassVar[tuple[Key, ...]] = (Key("command", "name", TEXT, required=True, about=n_("the command, `/status`")),)
    name: str

    @property
    def key(self) -> str:
        return command_key(self.name)


def command_key(name: str) -> str:
    """`/Status@north_bot now` → `status`."""
    first = name.strip().removeprefix("/").split(maxsplit=1)
    return first[0].partition("@")[0].lower() if first else ""
