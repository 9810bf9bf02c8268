"""The end of a session: its category, how to come back, and what the client thinks of it."""

from __future__ import annotations

from core.effects import AnswerBot
from core.events import OperatorAct
from core.normal import clean
from handoff import notices
from handoff.acts.act import Act, word
from handoff.decision import Decision
from handoff.session import RATE


def end(on: Decision, who: str, why: str, said: str, category: str = "", rated: bool = False) -> None:
    """Close the session and tell the client. The session keeps its line for reports."""
    session = on.session
    about = {"session": session.number, "line": session.line, "operator": session.operator}
    changes = {"operator": "", "queued_at": 0.0, "closed_at": on.now.timestamp(), "category": category}
    on.move("close", who, why, memory={RATE: about} if rated else {}, **changes)
    on.out(notices.notice(said))
    if rated:
        on.out(notices.rating_question(on.house, session))
    on.out(AnswerBot("done", session.line))


def _close(on: Decision, event: OperatorAct) -> None:
    line, category = on.line(on.session.line), word(event, "category")
    known = line.categories if line is not None else ()
    if (category or known) and category not in known:
        on.refuse(event, "category", categories=list(known))
        return
    said = clean(event.text).strip() or notices.way_back(on.house)
    end(on, event.operator, "close", said, category, rated=line is not None and line.rating)


CLOSE = Act(_close, move="close")
