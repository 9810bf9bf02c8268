"""`button`: a menu button with this label, wherever it stands, or its label typed whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bot.model import Trigger
from bot.shapes import LABEL, Key
from core.locale import n_
from core.normal import words


@dataclass(frozen=True, slots=True, kw_only=True)
class Button(Trigger):
    word: ClassVar[str] = "button"
    level: ClassVar[int] = 3
    about: ClassVar[str] = n_("a menu button with this label, or the label typed whole")
    keys: ClassVar[tuple[Key, ...]] = (Key("button", "label", LABEL, required=True, about=n_("the label")),)
    label: str

    @property
    def key(self) -> str:
        return label_key(self.label)


def label_key(label: str) -> str:
    """The words of a label: pictures and punctuation do not matter, unless there is nothing else."""
    return " ".join(words(label)) or label.strip()
