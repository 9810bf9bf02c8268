"""A person puts a collected field right: read as the client's answer would be, kept as the person's."""

from __future__ import annotations

from bot.engine.collected import fields_by_label, known_in
from bot.engine.ground import COLLECTED, EDITED, copy_run
from bot.engine.walk import Walk
from bot.fields import Accepted, Unclear, Wrong, kind_of
from bot.heard import Heard
from bot.model import Field
from bot.rules import ticket_text
from core.effects import Record
from core.events import FieldGiven


def on_field_given(walk: Walk, event: FieldGiven) -> None:
    """Write the value into the run that asks for it, or beside the runs. What no flow knows and nobody collected is refused."""
    field = fields_by_label(walk.book).get(event.label)
    if field is None and event.label not in known_in(walk):
        refuse(walk, "set_field", event.operator, "field")
        return
    value, text, wrong = read(walk, field, event.text)
    if wrong is not None:
        refuse(walk, "set_field", event.operator, "value", wrong)
        return
    if not _write(walk, event.label, value):
        _keep(walk, COLLECTED, event.label, text)
    _keep(walk, EDITED, event.label, event.operator)
    walk.note("field", label=event.label, by=event.operator)
    walk.record("field_given", label=event.label, by=event.operator)


def read(walk: Walk, field: Field | None, text: str) -> tuple[object, str, str | None]:
    """The value, its text, and what is wrong with it: None when it is a good one."""
    if field is None:
        return text, text, None if text else ""
    parsed = kind_of(field).parse(field, Heard(text), walk.now, walk.t)
    if isinstance(parsed, Accepted):
        broken = walk.broken_rule(field, parsed.value)
        return parsed.value, ticket_text(walk, field, parsed.value), broken.text if broken is not None else None
    if isinstance(parsed, Unclear):
        return None, "", parsed.question
    return None, "", parsed.reason if isinstance(parsed, Wrong) else ""


def _write(walk: Walk, label: str, value: object) -> bool:
    """Into the latest frame that has the field; False when no run has it."""
    for name in ("run", "suspended"):
        run = getattr(walk.talk, name)
        if run is None:
            continue
        run = copy_run(run)
        setattr(walk.talk, name, run)
        for frame in reversed(run.frames):
            flow = walk.book.versions.get((frame.flow, frame.version))
            fields = flow.flow.fields.values() if flow is not None else ()
            found = next((field for field in fields if field.label == label), None)
            if found is not None:
                frame.values[found.name] = value
                return True
    return False


def _keep(walk: Walk, name: str, label: str, text: str) -> None:
    walk.talk.memory[name] = {**walk.talk.memory.get(name, {}), label: text}


def refuse(walk: Walk, act: str, operator: str, why: str, detail: str = "") -> None:
    """Nothing is done; whoever asked reads why in the trace, as with refusals of the human side."""
    walk.note("refused", act=act, by=operator, why=why, detail=detail)
    walk.effects.append(Record("operator_refused", {"act": act, "operator": operator, "why": why}))
