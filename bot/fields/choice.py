"""`choice` and `many`: options by button, number, label or their own words → labels."""

from __future__ import annotations

import re
from datetime import datetime
from typing import ClassVar

from bot.fields.kind import Accepted, FieldKind, Parsed, Rows, ValueType, Wrong
from bot.heard import Heard
from bot.model import Field
from bot.options import match_option
from core.locale import Texts
from core.messages import Button

SEVERAL = re.compile(r"[,;\n]| (?:и|and|&) ")
SPACES = re.compile(r"[ \t\u00a0]+")


class Choice(FieldKind):
    type: ClassVar[str] = "choice"
    keys: ClassVar[frozenset[str]] = frozenset({"options"})

    def parse(self, field: Field, heard: Heard, now: datetime, t: Texts) -> Parsed:
        if not heard.text:
            return None
        label = pick(field, heard)
        return Wrong(t("Please choose one of the options.")) if label is None else Accepted(label)

    def buttons(self, field: Field, t: Texts) -> Rows:
        return tuple((Button(option.label),) for option in field.options)


class Many(FieldKind):
    type: ClassVar[str] = "many"
    keys: ClassVar[frozenset[str]] = frozenset({"options", "min", "max"})
    value_type: ClassVar[ValueType] = "list"

    def parse(self, field: Field, heard: Heard, now: datetime, t: Texts) -> Parsed:
        """«1, 3», «брак и не подошло»: every part must be an option; a label may itself hold a comma."""
        if not heard.text:
            return None
        whole = pick(field, heard)
        labels = _several(field, heard.text) or ([whole] if whole else None)
        if labels is None:
            return Wrong(t("Please choose from the options; several may be written with commas."))
        return _too_many_or_few(field, labels, t) or Accepted(labels)

    def buttons(self, field: Field, t: Texts) -> Rows:
        return tuple((Button(option.label),) for option in field.options)


def pick(field: Field, heard: Heard) -> str | None:
    """The label of the option that the whole message names."""
    labels = tuple(option.label for option in field.options)
    n = match_option(heard, labels, tuple(option.words for option in field.options))
    return None if n is None else labels[n]


def _several(field: Field, text: str) -> list[str] | None:
    """Labels in the order of the options, None when a part is no option."""
    parts = [part for part in SEVERAL.split(SPACES.sub(" ", text)) if part.strip()]
    if len(parts) == 1 and re.fullmatch(r"[0-9 ]+", parts[0]):
        parts = parts[0].split()
    chosen = {pick(field, Heard(part.strip())) for part in parts[:64]}
    if not chosen or None in chosen:
        return None
    return [option.label for option in field.options if option.label in chosen]


def _too_many_or_few(field: Field, labels: list[str], t: Texts) -> Wrong | None:
    if field.min is not None and len(labels) < field.min:
        return Wrong(
            t.plural("Please choose at least {n} option.", "Please choose at least {n} options.", int(field.min))
        )
    if field.max is not None and len(labels) > field.max:
        return Wrong(
            t.plural("Please choose at most {n} option.", "Please choose at most {n} options.", int(field.max))
        )
    return None
