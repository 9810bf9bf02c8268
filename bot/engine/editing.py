"""A person puts a collected field right: read as the client's answer would be, kept as the person's."""

from __future__ import annotations

from typing import Any

import msgspec

from bot.engine.collected import fields_by_label, known_in
from bot.engine.ground import COLLECTED, EDITED, LENT, copy_run
from bot.engine.walk import Walk
from bot.fields import Accepted, Unclear, Wrong, kind_of
from bot.heard import Heard
from bot.model import Field
from bot.rules import ticket_text
from core.conversation import Run
from core.effects import Record
from core.events import FieldGiven


def on_field_given(walk: Walk, event: FieldGiven) -> None:
    """Write the value into the run that asks for it, or beside the runs. What no flow knows and nobody collected is refused."""
    field = fields_by_label(walk.book).get(event.label)
    if field is None and event.label not in known_in(walk):
        refuse(walk, "set_field", event.operator, "field")
        return
    _, text, wrong = read(walk, field, event.text)
    if wrong is not None:
        refuse(walk, "set_field", event.operator, "value", wrong)
        return
    put(walk, event.label, text)
    walk.talk.memory[EDITED] = {**walk.talk.memory.get(EDITED, {}), event.label: [event.operator, text]}
    walk.note("field", label=event.label, by=event.operator)
    walk.record("field_given", label=event.label, by=event.operator)


def put(walk: Walk, label: str, text: str) -> None:
    """Write a field into the run that has it, or beside the runs."""
    if not _into_runs(walk, label, text):
        walk.talk.memory[COLLECTED] = {**walk.talk.memory.get(COLLECTED, {}), label: text}


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


def _into_runs(walk: Walk, label: str, text: str) -> bool:
    """Into the latest run that knows the label, those that a loan put aside included; False when there is none."""
    for name in ("run", "suspended"):
        run = getattr(walk.talk, name)
        if run is not None:
            run = copy_run(run)
            setattr(walk.talk, name, run)
            if _into(walk, run, label, text):
                return True
    lent: dict[str, Any] = walk.talk.memory.get(LENT, {})
    for name in ("run", "suspended"):
        if lent.get(name) is not None:
            run = msgspec.convert(lent[name], Run)
            if _into(walk, run, label, text):
                walk.talk.memory[LENT] = {**lent, name: msgspec.to_builtins(run)}
                return True
    return False


def _into(walk: Walk, run: Run, label: str, text: str) -> bool:
    """Into the run's latest frame whose field of that label takes it, or where a flow that is over has left it."""
    for frame in reversed(run.frames):
        flow = walk.book.versions.get((frame.flow, frame.version))
        fields = flow.flow.fields.values() if flow is not None else ()
        found = next((field for field in fields if field.label == label), None)
        value, _, wrong = read(walk, found, text) if found is not None else (None, "", "")
        if found is not None and wrong is None:
            frame.values[found.name] = value
            return True
    memory = run.frames[0].memory
    left: dict[str, str] = memory.get("collected", {})
    if label in left:
        memory["collected"] = {**left, label: text}
    return label in left


def refuse(walk: Walk, act: str, operator: str, why: str, detail: str = "") -> None:
    """Nothing is done; whoever asked reads why in the trace, as with refusals of the human side."""
    walk.note("refused", act=act, by=operator, why=why, detail=detail)
    walk.effects.append(Record("operator_refused", {"act": act, "operator": operator, "why": why}))
