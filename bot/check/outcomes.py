"""L180: outcomes of flows that clients start, which no test expects."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from bot.actions.end import End
from bot.actions.fail import Fail
from bot.check.places import value_at
from bot.check.walk import actions
from bot.model import Library
from core.findings import Finding
from core.locale import n_


def check_outcomes(library: Library, tested: Collection[tuple[str, str]]) -> Iterator[Finding]:
    """A warning at the first place of each outcome. A flow that is only called ends in its caller's outcome."""
    entries = {library.bot.welcome, library.bot.fallback, library.bot.operator}
    for flow in library.flows.values():
        seen: set[str] = set()
        if not flow.triggers and flow.id not in entries:
            continue
        for action in actions(flow.steps):
            if isinstance(action, (End, Fail)) and action.outcome not in seen:
                seen.add(action.outcome)
                if (flow.id, action.outcome) not in tested:
                    yield Finding(
                        at=value_at(action, action.word),
                        code="L180",
                        what=n_("no test expects the outcome «{outcome}»"),
                        mend=n_("add a test that ends so"),
                        values={"outcome": action.outcome},
                        level="warning",
                        length=len(action.outcome),
                    )
