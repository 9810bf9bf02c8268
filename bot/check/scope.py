"""The names a flow may use, and what may follow their dot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.actions.call import Call
from bot.actions.request import Request
from bot.actions.set import Set
from bot.actions.ticket import Ticket
from bot.check.remote import call_info
from bot.check.walk import actions, own_blocks
from bot.fields import field_kind
from bot.loader import Mapping, Node, Scalar, Sequence
from bot.model import Block, Broken, Flow, Library
from core.deployment import Deployment

Attributes = dict[str, bool] | None  # attribute → may be absent; None: anything may follow the dot

TICKET: Attributes = {"номер": False, "статус": False, "ссылка": True}
CLIENT = ("id", "name", "phone", "email", "username", "language", "verified", "tier")
GIVEN: dict[str, Attributes] = {
    "client": None,
    "event": None,
    "line": None,
    "now": {},
    "today": {},
    "chat": {"channel": False, "kind": False},
    "message": {"text": False},
}
IN_QUESTIONS = "question"
IN_CHECKS = "value"


@dataclass(slots=True)
class Scopes:
    """Names by flow, made when they are asked for: a call's names come from the flow it calls."""

    library: Library
    deployment: Deployment
    made: dict[str, dict[str, Attributes]]

    def of(self, flow_id: str) -> dict[str, Attributes]:
        """Names of a flow: fields, inputs, saved results, `set`, and what called flows give."""
        if flow_id not in self.made:
            scope = self.made[flow_id] = {}
            flow = self.library.flows[flow_id]
            for name, attributes in self.names(flow):
                scope[name] = merged(scope[name], attributes) if name in scope else attributes
        return self.made[flow_id]

    def names(self, flow: Flow) -> Iterator[tuple[str, Attributes]]:
        for field in flow.fields.values():
            kind = field_kind(field.type)
            yield field.name, dict.fromkeys(kind.parts, False) if kind else None
        for taken in flow.takes.values():
            yield taken.name, self.answer(taken.type) if "." in taken.type else {}
        for block in own_blocks(flow, self.library.bot.policy):
            yield from self.block_names(block)
            for action in actions(block):
                if isinstance(action, Broken):
                    yield from ((name.text, None) for name in saved_names(action.node))

    def block_names(self, block: Block) -> Iterator[tuple[str, Attributes]]:
        for action in actions(block):
            if isinstance(action, Request) and action.save:
                yield action.save, self.answer(action.call)
            elif isinstance(action, Ticket) and action.save:
                yield action.save, TICKET
            elif isinstance(action, Set):
                yield from (
                    (name, None if value.lone else {}) for name, value in action.values.items() if "." not in name
                )
            elif isinstance(action, Call) and action.flow in self.library.flows:
                called = self.of(action.flow)
                yield from ((name, called.get(name)) for name in self.library.flows[action.flow].gives)

    def answer(self, call: str) -> Attributes:
        info = call_info(call, self.deployment)
        return {name: take.optional for name, take in info.take.items()} if info else None


def saved_names(node: Node | None) -> Iterator[Scalar]:
    """Where names are given below a node, readable or not: values of `save` and keys of `set`."""
    if isinstance(node, Mapping):
        for key, value in node.items.values():
            if key.text == "save" and isinstance(value, Scalar):
                yield value
            elif key.text == "set" and isinstance(value, Mapping):
                yield from (name for name, _ in value.items.values())
            else:
                yield from saved_names(value)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from saved_names(item)


def merged(one: Attributes, other: Attributes) -> Attributes:
    """What may follow the dot when a name gets its value in two places."""
    if one is None or other is None:
        return None
    return {name: one.get(name, False) or other.get(name, False) for name in {**one, **other}}


def client_names(library: Library) -> dict[str, bool]:
    """What the client's card may hold: what messengers tell, and what flows keep there. All may be absent."""
    known = dict.fromkeys(CLIENT, True)
    for flow in library.flows.values():
        for field in flow.fields.values():
            if field.keep:
                known[field.keep.removeprefix("client.")] = True
        for block in own_blocks(flow, library.bot.policy):
            for action in actions(block):
                if isinstance(action, Set):
                    known |= {n.removeprefix("client."): True for n in action.values if n.startswith("client.")}
    return known
