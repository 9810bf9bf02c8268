"""What a field type is: how it reads an answer, shows a value and offers buttons."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

from bot.heard import Heard
from bot.model import Field
from bot.show import shown
from core.locale import Texts
from core.messages import Button

ValueType = Literal["text", "number", "money", "yes_no", "date", "time", "list", "place", "person"]
Rows = tuple[tuple[Button, ...], ...]
Token = tuple[Any, int, int]  # value, start, end in the text


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer is a value (a JSON value). `verified`: the messenger proved that it is the client's own."""

    value: Any
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Wrong:
    """This is not an answer; `reason` says why in the client's language."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """The answer means several things: ask the client `question` with the `options` (label, value) as buttons."""

    question: str
    options: tuple[tuple[str, Any], ...]


Parsed = Accepted | Wrong | Unclear | None


class FieldKind(ABC):
    """One type of the flow language. `keys` are the field keys it knows besides the common ones.

    `parts` are names that may follow a value's dot, with their types.
    """

    type: ClassVar[str]
    keys: ClassVar[frozenset[str]] = frozenset()
    value_type: ClassVar[ValueType] = "text"
    parts: ClassVar[dict[str, ValueType]] = {}

    def strict(self, field: Field) -> bool:
        """Whether the field can say «this is not an answer»."""
        return True

    @abstractmethod
    def parse(self, field: Field, heard: Heard, now: datetime, t: Texts) -> Parsed:
        """The answer in a message; None when the message holds nothing for this type. `now` is aware local time."""

    def show(self, field: Field, value: Any, t: Texts) -> str:
        """The value as people read it."""
        return shown(value, t.language)

    def buttons(self, field: Field, t: Texts) -> Rows:
        """Rows of buttons that answer; their tokens are the engine's to fill."""
        return ()

    def find(self, field: Field, text: str) -> list[Token]:
        """Values that can be picked out of a text, as whole tokens."""
        return []
