"""Loans of the bot: it asks the questions of a small flow for the person who has the session, and keeps the session theirs."""

from __future__ import annotations

from core.effects import Note, Record
from core.events import LoanBegun, LoanOver
from handoff.decision import LOAN, Decision


def begun(on: Decision, event: LoanBegun) -> None:
    """The bot has the word: what the client writes is its to hear."""
    about = {"flow": event.flow, "at": on.now.timestamp()}
    on.move("loan", event.operator, "loan", memory={**on.session.memory, LOAN: about})


def over(on: Decision, event: LoanOver) -> None:
    """The operator has the word again, and reads what the bot has got."""
    about = on.session.memory.get(LOAN)
    if about is None:
        on.why("no_loan")
        return
    on.move("loan_over", "bot", event.outcome)
    facts = {"session": on.session.number, "line": on.session.line, "flow": about["flow"], "outcome": event.outcome}
    on.out(Record("loan_over", {**facts, "fields": len(event.fields)}))
    got = "\n".join(f"{label}: {text}" for label, text in event.fields.items())
    on.out(Note(on.t("The bot has asked: {fields}", fields=got or "—")))
