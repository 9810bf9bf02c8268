"""State machines. The only module that knows `transitions`: cheap firing on light objects, only legal moves exist."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from transitions import Machine as _Machine
from transitions import MachineError

logging.getLogger("transitions").setLevel(logging.WARNING)

Edge = tuple[str, str, str]  # event, source state, target state


class Illegal(Exception):
    """The event has no edge from this state."""


class _Token:
    """What is moved. Never given to `add_model`: that costs 95 µs and up to 44 KiB each, firing like this 8-11 µs."""

    __slots__ = ("state",)

    def __init__(self, state: str) -> None:
        self.state = state


class Machine:
    """A graph of states. `states` keeps the order given; `edges` are all legal moves."""

    def __init__(self, states: Iterable[str], edges: Iterable[Edge]) -> None:
        self.states = tuple(states)
        self.edges = tuple(edges)
        self._targets = {(source, event): target for event, source, target in self.edges}
        self._machine = _Machine(
            model=None,
            states=list(self.states),
            initial=self.states[0],
            auto_transitions=False,
            send_event=True,
            transitions=[{"trigger": e, "source": s, "dest": t} for e, s, t in self.edges],
        )

    def fire(self, state: str, event: str) -> str:
        """The state after the event. Raises `Illegal` when there is no such move."""
        known = self._machine.events.get(event)
        if known is None:
            raise Illegal(f"{event} from {state}")
        token = _Token(state)
        try:
            known.trigger(token)
        except MachineError as error:
            raise Illegal(f"{event} from {state}") from error
        return token.state

    def target(self, state: str, event: str) -> str | None:
        """Where the event would lead, None when it is not legal."""
        return self._targets.get((state, event))
