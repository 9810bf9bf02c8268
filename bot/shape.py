"""What a shape is: a key declared once is parsed, checked, described to editors and documented."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from bot.loader import ALIAS, Node, Report, Scalar
from bot.places import locator
from core.findings import Finding, Position
from core.locale import n_

if TYPE_CHECKING:
    from bot.model import Block

Schema = dict[str, Any]
Kind = Literal["step", "flow", "line", "field", "call", "desk", "channel"]

PERHAPS = n_("perhaps «{close}»?")


class Unread:
    """What a shape gives when the value cannot be read; the finding has been reported."""

    def __bool__(self) -> bool:
        return False


UNREAD: Final = Unread()


@dataclass(slots=True)
class Reader:
    """Where reading happens: the file, the names it may use, and where findings go. `steps` reads a block of steps."""

    file: str
    source: str
    report: Report
    known: dict[Kind, Collection[str]]
    steps: Callable[[Node, Reader], Block | Unread]
    key: str = ""  # the key that is being read, for messages
    flow: str = ""  # where the texts stand that are being read, for translations
    place: str = ""
    translations: dict[str, tuple[str, Position]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def tell(
        self,
        node: Node,
        code: str,
        what: str,
        mend: str = "",
        *,
        instead: str = "",
        level: Literal["error", "warning"] = "error",
        **values: Any,
    ) -> Unread:
        if isinstance(node, Scalar) and node.style == ALIAS:
            return UNREAD
        length = node.length if isinstance(node, Scalar) else 1
        self.report(
            Finding(
                at=node.at,
                code=code,
                what=what,
                mend=mend,
                values={"key": self.key, **values},
                level=level,
                length=length,
                instead=instead,
            )
        )
        return UNREAD

    def locate(self, node: Scalar) -> Callable[[int], Position]:
        """From offsets in a value to places of the file."""
        return locator(node, self.source_lines)

    def translated(self, text: str) -> tuple[str, Position] | None:
        """The translation of a text that stands here, and its place; None when there is none."""
        if not self.translations:
            return None
        return self.translations.get(text_key(self.flow, self.place, text))

    @property
    def source_lines(self) -> list[str]:
        if not self.lines:
            self.lines = self.source.split("\n")
        return self.lines


def text_key(flow: str, step: str, source: str) -> str:
    """The key of a text among translations: where it stands, and the text itself."""
    return f"{flow}\n{step}\n{source.strip()}"


def suggest(word: str, known: Iterable[str]) -> str:
    """The known word that the writer may have meant, empty when none is close."""
    options = {name.lower(): name for name in known}
    found = get_close_matches(word.lower(), options, n=1, cutoff=0.6)
    return options[found[0]] if found else ""


class Shape(Protocol):
    """How a value is read, described to an editor, and named in the reference."""

    @property
    def told(self) -> str:
        """Message id: what the reference calls it."""
        ...

    def read(self, node: Node, reader: Reader) -> Any:
        """The value, or UNREAD after a finding."""
        ...

    def schema(self) -> Schema: ...


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a map: what it is called in YAML, which value of the model it fills, and how it is read.

    An empty `into` spreads the dictionary that the shape reads.
    """

    name: str
    into: str
    shape: Shape
    required: bool = False
    about: str = ""
