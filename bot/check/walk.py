"""Walking over flows: blocks, actions, and the texts and expressions in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from bot.actions.choose import Way
from bot.expressions import Expression
from bot.model import Action, Block, Field, Flow, Policy
from bot.templates import Template

Words = Expression | Template
SKIPPED = frozenset({"at", "step", "node", "then", "otherwise", "missing", "failed", "closed", "busy"})
_KEPT: dict[type, tuple[str, ...]] = {}


def actions(block: Block) -> Iterator[Action]:
    """Every action of a block and of the blocks below it, in the order written."""
    for action in block:
        yield action
        for _, inner in action.blocks():
            yield from actions(inner)


@dataclass(frozen=True, slots=True)
class Own:
    """Blocks that stand in a flow's own file: its steps, its fields' `too_many`, its own policy."""

    steps: Block
    fields: tuple[Block, ...]
    policy: tuple[Block, ...]

    def __iter__(self) -> Iterator[Block]:
        yield self.steps
        yield from self.fields
        yield from self.policy


def own_blocks(flow: Flow, base: Policy) -> Own:
    """The blocks written in this flow; inherited policy belongs to `_bot.yaml`."""
    mine = tuple(
        block
        for block, inherited in ((flow.policy.too_many, base.too_many), (flow.policy.failed, base.failed))
        if block is not None and block is not inherited
    )
    return Own(flow.steps, tuple(f.too_many for f in flow.fields.values() if f.too_many is not None), mine)


def own_actions(flow: Flow, base: Policy) -> Iterator[Action]:
    """Every action written in this flow's file."""
    for block in own_blocks(flow, base):
        yield from actions(block)


def action_words(action: Action) -> Iterator[Words]:
    """Texts and expressions of an action, without those of its blocks."""
    kind = type(action)
    kept = _KEPT.get(kind)
    if kept is None:
        kept = _KEPT[kind] = tuple(f.name for f in fields(action) if f.name not in SKIPPED)
    for name in kept:
        yield from _words(getattr(action, name))


def _words(value: Any) -> Iterator[Words]:
    if isinstance(value, (Template, Expression)):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _words(item)
    elif isinstance(value, tuple):
        for item in value:
            if not isinstance(item, Action):
                yield from _words(item)
    elif isinstance(value, Way) and value.condition is not None:
        yield value.condition


def field_words(field: Field) -> Iterator[tuple[Words, bool]]:
    """Texts and expressions of a field, and whether `value` is known there."""
    yield field.ask, False
    for text in field.wrong:
        yield text, True
    for rule in field.check:
        yield rule.must, True
        yield rule.otherwise, True
