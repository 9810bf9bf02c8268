"""Places of keys and values of what was read: the position of a finding is the key or value to change."""

from __future__ import annotations

from typing import Protocol

from bot.loader import Mapping, Node, Sequence
from core.findings import Position


class Placed(Protocol):
    """A part of the model that knows its place in the file."""

    @property
    def at(self) -> Position: ...
    @property
    def node(self) -> Mapping | None: ...


def value_at(part: Placed, *path: str | int) -> Position:
    """The place of a value; of the part itself when it is not there."""
    found = find(part.node, path)
    return found.at if found else part.at


def key_at(part: Placed, *path: str) -> Position:
    """The place of a key; of the part itself when it is not there."""
    owner = find(part.node, path[:-1])
    if isinstance(owner, Mapping) and path[-1] in owner.items:
        return owner.key(path[-1]).at
    return part.at


def find(node: Node | None, path: tuple[str | int, ...]) -> Node | None:
    """The node below: keys of maps and numbers of list items."""
    for step in path:
        if isinstance(node, Mapping) and isinstance(step, str):
            node = node.get(step)
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            return None
    return node
