"""`link`: a deep link opens the chat with this payload."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from bot.model import Trigger
from bot.shapes import TEXT, Key
from core.locale import n_

LONGEST = 64  # Telegram's limit, https://core.telegram.org/bots/features#deep-linking
LETTERS = str.maketrans(
    {
        "а": "a",
        "б": "b",
        "в": "v",
        "г": "g",
        "д": "d",
        "е": "e",
        "ё": "e",
        "ж": "zh",
        "з": "z",
        "и": "i",
        "й": "y",
        "к": "k",
        "л": "l",
        "м": "m",
        "н": "n",
        "о": "o",
        "п": "p",
        "р": "r",
        "с": "s",
        "т": "t",
        "у": "u",
        "ф": "f",
        "х": "h",
        "ц": "c",
        "ч": "ch",
        "ш": "sh",
        "щ": "sch",
        "ъ": "",
        "ы": "y",
        "ь": "",
        "э": "e",
        "ю": "yu",
        "я": "ya",
    }
)
REFUSED = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(Trigger):
    """Payloads are compared transliterated, so a link may be spread in either alphabet."""

    word: ClassVar[str] = "link"
    level: ClassVar[int] = 1
    about: ClassVar[str] = n_("a deep link with this payload opens the chat")
    keys: ClassVar[tuple[Key, ...]] = (
        Key("link", "payload", TEXT, required=True, about=n_("the payload of the link")),
    )
    payload: str

    @property
    def key(self) -> str:
        return transliterate(self.payload)


def transliterate(payload: str) -> str:
    """A payload in the alphabet every messenger takes, `A-Za-z0-9_-`, at most 64: `возврат-qr` → `vozvrat-qr`."""
    latin = payload.strip().lower().translate(LETTERS)
    return REFUSED.sub("-", latin).strip("-")[:LONGEST]
