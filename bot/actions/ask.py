"""`ask`: ask for fields, one question after another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bot.fields import Accepted, Unclear, Wrong, kind_of
from bot.model import Action, Field
from bot.options import match_option
from bot.shapes import FIELDS, Key
from core.locale import n_
from core.messages import Button
from core.normal import normal
from core.rich import Rich

if TYPE_CHECKING:
    from bot.engine.walk import Refusal, Walk
    from bot.heard import Heard


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Action):
    """Compiled to one state per field."""

    word: ClassVar[str] = "ask"
    about: ClassVar[str] = n_("ask for fields, one question after another")
    keys: ClassVar[tuple[Key, ...]] = (
        Key("ask", "fields", FIELDS, required=True, about=n_("a field or a list of fields")),
    )
    fields: tuple[str, ...]

    def policies(self) -> Iterator[str]:
        yield "too_many"
        yield "timeout"

    def enter(self, walk: Walk) -> None:
        """Skip what is known: in the first entry of the step, and while a `confirm` mends another answer."""
        field = _field(walk)
        if self._skips(walk, field):
            walk.go("next")
            return
        walk.frame.memory.pop("unclear", None)
        walk.record("step_entered", flow=walk.frame.flow, step=walk.node.step, field=field.name)
        self.again(walk)

    def _skips(self, walk: Walk, field: Field) -> bool:
        frame = walk.frame
        if frame.memory.pop("force", "") == frame.state:
            return False
        known = frame.values.get(field.name) is not None or field.name in frame.asked
        if walk.is_mending():
            return known and not walk.mends(field.name)
        if not walk.first_entry():
            return False
        if not known and field.source:
            value = walk.client.get(field.source.removeprefix("client."))
            if value not in (None, ""):
                frame.values[field.name] = value
                return True
        return known

    def again(self, walk: Walk) -> None:
        field = _field(walk)
        walk.frame.memory.pop("unclear", None)
        walk.ask(walk.rich(field.ask), (*kind_of(field).buttons(field, walk.t), *_skip_row(walk, field)))

    def hear(self, walk: Walk, heard: Heard) -> Refusal | None:
        field = _field(walk)
        if field.optional and heard.normal == normal(walk.t("Skip")):
            self.skip(walk)
            return None
        unclear = walk.frame.memory.get("unclear")
        if unclear:
            found = match_option(heard, tuple(label for label, _ in unclear))
            if found is not None:
                return self._take(walk, field, heard, Accepted(unclear[found][1]))
        parsed = kind_of(field).parse(field, heard, walk.now, walk.t)
        if isinstance(parsed, Accepted):
            return self._take(walk, field, heard, parsed)
        if isinstance(parsed, Unclear):
            self._ask_back(walk, field, parsed)
            return None
        return walk.refuse(kind_of(field).strict(field), parsed.reason if isinstance(parsed, Wrong) else "")

    def skip(self, walk: Walk) -> None:
        """An optional field stays empty."""
        field = _field(walk)
        walk.answered()
        walk.frame.values[field.name] = None
        self._leave(walk, field, "skipped")

    def _ask_back(self, walk: Walk, field: Field, unclear: Unclear) -> None:
        """The answer means several things: no attempt is counted."""
        walk.note("unclear", field=field.name)
        rows = (*((Button(label),) for label, _ in unclear.options), *_skip_row(walk, field))
        walk.ask(Rich(unclear.question), rows)
        walk.frame.memory["unclear"] = [[label, value] for label, value in unclear.options]

    def _take(self, walk: Walk, field: Field, heard: Heard, answer: Accepted) -> Refusal | None:
        broken = walk.broken_rule(field, answer.value)
        if broken is not None:
            return walk.refuse_own(broken)
        walk.answered()
        walk.frame.values[field.name] = answer.value
        if field.keep:
            walk.keep(field.keep.removeprefix("client."), answer.value, answer.verified)
        walk.pick(heard, self.fields)
        self._leave(walk, field, "accepted")
        return None

    def _leave(self, walk: Walk, field: Field, how: str) -> None:
        frame = walk.frame
        frame.asked[field.name] = walk.node.index
        frame.memory.pop("unclear", None)
        frame.memory.pop("insist", None)
        walk.mended(field.name)
        walk.note(how, field=field.name)
        walk.go("next")


def _field(walk: Walk) -> Field:
    field = walk.node.field
    assert field is not None
    return field


def _skip_row(walk: Walk, field: Field) -> tuple[tuple[Button, ...], ...]:
    return ((Button(walk.t("Skip")),),) if field.optional else ()
