"""`yes_no`: «да», «нет» and what people say in their place."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from bot.fields.kind import Accepted, FieldKind, Parsed, Rows, ValueType, Wrong
from bot.heard import Heard
from bot.model import Field
from core.locale import Texts
from core.messages import Button

YES = frozenset(
    [
        "да",
        "ага",
        "угу",
        "конечно",
        "верно",
        "точно",
        "правильно",
        "ок",
        "окей",
        "хорошо",
        "согласен",
        "согласна",
        "подтверждаю",
        "именно",
        "yes",
        "yeah",
        "yep",
        "yup",
        "sure",
        "ok",
        "okay",
        "right",
        "correct",
        "y",
    ]
)
NO = frozenset(["нет", "неа", "не", "никак", "отнюдь", "no", "nope", "nah", "not", "n"])
FILLER = frozenset(
    [
        "все",
        "всё",
        "так",
        "ну",
        "пожалуйста",
        "спасибо",
        "надо",
        "нужно",
        "please",
        "thanks",
        "thank",
        "you",
        "it",
        "is",
    ]
)
SIGNS = {"+": True, "👍": True, "✅": True, "-": False, "👎": False, "❌": False, "1": True, "2": False}


class YesNo(FieldKind):
    """Also 1 and 2, as a channel without buttons numbers them."""

    type: ClassVar[str] = "yes_no"
    value_type: ClassVar[ValueType] = "yes_no"

    def parse(self, field: Field, heard: Heard, now: datetime, t: Texts) -> Parsed:
        if not heard.text:
            return None
        answer = parse_yes_no(heard)
        return Wrong(t("Please answer yes or no.")) if answer is None else Accepted(answer)

    def buttons(self, field: Field, t: Texts) -> Rows:
        return ((Button(t("Yes")), Button(t("No"))),)


def parse_yes_no(heard: Heard) -> bool | None:
    """True, False, or None when the message says neither or both."""
    sign = SIGNS.get(heard.text.strip(" .)"))
    if sign is not None:
        return sign
    said = set(heard.words) - FILLER
    if said and said <= YES:
        return True
    return False if said and said <= NO else None
