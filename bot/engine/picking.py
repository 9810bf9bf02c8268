"""Answers picked out of messages: whole tokens that exactly one field fits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from bot.fields import kind_of

if TYPE_CHECKING:
    from bot.compile import CompiledFlow
    from bot.engine.ground import Ground
    from bot.heard import Heard
    from bot.model import Field
    from core.conversation import Frame


def pick(walk: Ground, flow: CompiledFlow, frame: Frame, heard: Heard, fields: Iterable[Field], skip: str = "") -> None:
    """Fill unknown fields from the message. `skip` is what the waiting field took: never picked again."""
    wanted = {field.name for field in flow.picked}
    unknown = [field for field in fields if field.name in wanted and frame.values.get(field.name) is None]
    if not unknown or not heard.text:
        return
    found = find_all(unknown, heard.text, skip)
    if not found:  # most messages hold nothing to pick: then it does not matter what the known fields would say of them
        return
    asked = {field.name for field in unknown}
    others = find_all([field for field in flow.picked if field.name not in asked], heard.text, skip)
    for field in unknown:
        values = {span: value for name, span, value in found if name == field.name}
        alone = [value for span, value in values.items() if only_one([*found, *others], span)]
        if len(values) == 1 and alone and walk.broken_rule(field, alone[0]) is None:
            frame.values[field.name] = alone[0]
            walk.note("picked", field=field.name)
            if field.keep:
                walk.keep(field.keep.removeprefix("client."), alone[0], False)


def find_all(fields: Iterable[Field], text: str, skip: str) -> list[tuple[str, tuple[int, int], Any]]:
    """(field, span, value) of every token in the text that one of the fields fits."""
    return [
        (field.name, (start, end), value)
        for field in fields
        for value, start, end in kind_of(field).find(field, text)
        if text[start:end].strip() != skip
    ]


def only_one(found: list[tuple[str, tuple[int, int], Any]], span: tuple[int, int]) -> bool:
    """Whether just one field fits the characters of the span."""
    start, end = span
    return len({name for name, (a, b), _ in found if a < end and start < b}) == 1
