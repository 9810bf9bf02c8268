"""Texts for translators: what flows say, keyed by flow, step and source; what is stale or missing in a translation.

Labels of fields and options are values: conditions compare them, desks need them. They stay as they are written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.actions.choose import Choose
from bot.actions.continuing import Continue
from bot.actions.say import Say
from bot.check.walk import actions
from bot.model import Block, Field, Flow, Library, Policy
from bot.shapes import text_key
from bot.templates import Template
from bot.triggers import Button

BOT = "_bot"

__all__ = ["BOT", "Entry", "collect", "compare", "entries", "render_texts", "text_key"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One text that clients read. `text` is its translation, "" when there is none; `stale`: the flow lost it."""

    flow: str
    step: str
    source: str
    text: str = ""
    stale: bool = False

    @property
    def key(self) -> str:
        return text_key(self.flow, self.step, self.source)


def collect(library: Library) -> dict[str, str]:
    """Every text that clients read: key → source."""
    return {entry.key: entry.source for entry in entries(library)}


def entries(library: Library) -> Iterator[Entry]:
    """The texts in the order of flows and lines, each place once."""
    seen = set()
    for entry in _all(library):
        if entry.key not in seen:
            seen.add(entry.key)
            yield entry


def _all(library: Library) -> Iterator[Entry]:
    base = library.bot.policy
    yield from (Entry(BOT, "policy", text) for text in _policy_texts(base, None))
    for block in (base.too_many, base.failed):
        yield from _block(BOT, block or ())
    for flow in library.flows.values():
        yield from _flow(flow, base)


def _flow(flow: Flow, base: Policy) -> Iterator[Entry]:
    yield Entry(flow.id, "", flow.title)
    for trigger in flow.triggers:
        if isinstance(trigger, Button):
            yield Entry(flow.id, "", trigger.label)
    for field in flow.fields.values():
        yield from (Entry(flow.id, field.name, text) for text in _field_texts(field))
        yield from _block(flow.id, field.too_many or ())
    yield from _block(flow.id, flow.steps)
    yield from (Entry(flow.id, "policy", text) for text in _policy_texts(flow.policy, base))
    for block, inherited in ((flow.policy.too_many, base.too_many), (flow.policy.failed, base.failed)):
        if block is not None and block is not inherited:
            yield from _block(flow.id, block)


def _field_texts(field: Field) -> Iterator[str]:
    yield field.ask.source
    if field.example:
        yield field.example
    yield from (text.source for text in field.wrong)
    yield from (rule.otherwise.source for rule in field.check)


def _policy_texts(policy: Policy, base: Policy | None) -> Iterator[str]:
    for text, inherited in ((policy.wrong, base and base.wrong), (policy.thanks, base and base.thanks)):
        if text is not None and text is not inherited:
            yield text.source
    if base is None or policy.silence is not base.silence:
        yield from (rule.say.source for rule in policy.silence if rule.say is not None)


def _block(flow: str, block: Block) -> Iterator[Entry]:
    for action in actions(block):
        if isinstance(action, Say):
            said: list[Template] = [action.text, *action.per_channel.values()]
            yield from (Entry(flow, action.step, text.source) for text in said)
            yield from (Entry(flow, action.step, label) for label, _ in action.links)
        elif isinstance(action, Continue):
            yield Entry(flow, action.step, action.text.source)
        elif isinstance(action, Choose):
            yield Entry(flow, action.step, action.question.source)
            yield from (Entry(flow, action.step, way.button) for way in action.options)


def compare(library: Library, language: str) -> list[Entry]:
    """What the translation file should hold: every text with its translation, and stale ones at the end of their flow."""
    known = library.texts.get(language, {})
    current = [Entry(e.flow, e.step, e.source, known.get(e.key, "")) for e in entries(library)]
    keys = {entry.key for entry in current}
    stale = [_stale(key, text) for key, text in known.items() if key not in keys]
    order = {flow: n for n, flow in enumerate([BOT, *library.flows])}
    return sorted([*current, *stale], key=lambda entry: (order.get(entry.flow, len(order)), entry.stale))


def _stale(key: str, text: str) -> Entry:
    flow, step, source = key.split("\n", 2)
    return Entry(flow, step, source, text, stale=True)


def render_texts(found: list[Entry]) -> str:
    """The translation file as YAML."""
    lines: list[str] = []
    flow = ""
    for entry in found:
        if entry.flow != flow:
            flow = entry.flow
            lines.append(f"{_quoted(flow)}:")
        values: Mapping[str, str] = {"step": entry.step, "source": entry.source, "text": entry.text}
        parts = [f"{name}: {_quoted(value)}" for name, value in values.items() if value or name == "text"]
        parts += ["stale: true"] if entry.stale else []
        lines += [f"  {'- ' if n == 0 else '  '}{part}" for n, part in enumerate(parts)]
    return "\n".join(lines) + "\n" if lines else ""


def _quoted(text: str) -> str:
    """A JSON string is a YAML string."""
    return json.dumps(text, ensure_ascii=False)
