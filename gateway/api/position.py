"""Where a talk stands: the step of the flow, what was collected, what may be done now."""

from __future__ import annotations

from datetime import datetime

from bot.actions.ask import Ask
from bot.compile import CompiledFlow
from bot.engine.collected import Known, known_fields
from core.accounts import operator_id
from core.conversation import Conversation, Frame, Run, Session
from core.turn import Facts
from gateway.api.deeds import right
from gateway.api.models import moment
from gateway.api.models_conversations import FlowPosition, FlowQuestion, LoanView, TransferView
from gateway.api.route import Call
from gateway.api.showing import Showing, at
from handoff.decision import HELD, LOAN, TRANSFERRED, Decision
from handoff.lines import line_facts
from handoff.possible import possible
from storage.rows import Row


async def fields_of(call: Call, state: Conversation, row: Row) -> list[Known]:
    """What flows and people have collected in the talk, in the order in which it was asked."""
    book = call.floor.book()
    if book is None:
        return []
    client = await call.floor.store.client(state.client) or {}
    return known_fields(book, state, call.floor.now(), _facts(call, row, client))


def acts_of(call: Call, state: Conversation, row: Row) -> list[str]:
    """Names of the deeds that the caller may do now."""
    decision = Decision(call.floor.house(), state, call.floor.now(), _facts(call, row, {}))
    return possible(decision, operator_id(call.me.id), right(call, row) == "supervisor")


def _facts(call: Call, row: Row, client: dict[str, object]) -> Facts:
    lines = line_facts(call.floor.house(), call.floor.now())
    return Facts(client, lines, call.floor.channel_lines.get(row["channel"], ""))


def flow_of(call: Call, state: Conversation) -> FlowPosition | None:
    """Where the dialogue stands; None when no flow is on."""
    run = state.talk.run or state.talk.suspended
    if run is None:
        return None
    frame = run.frames[-1]
    step = frame.state
    book = call.floor.book()
    compiled = book.versions.get((frame.flow, frame.version)) if book is not None else None
    if compiled is not None and frame.state in compiled.nodes:
        step = compiled.nodes[frame.state].step or frame.state
    aside = state.talk.suspended if state.talk.run is not None else None
    return FlowPosition(
        flow=frame.flow,
        title=_title(call, run),
        step=step,
        question=str(run.question.get("text", "")),
        suspended=_title(call, aside) if aside is not None else "",
        steps=_steps(compiled, frame) if compiled is not None else [],
    )


def _steps(flow: CompiledFlow, frame: Frame) -> list[FlowQuestion]:
    """The flow's questions. One that stands behind the present one but was never asked may still come."""
    here = flow.nodes.get(frame.state)
    present = here.field.name if here is not None and here.field is not None and isinstance(here.action, Ask) else ""
    asked = {
        it.field.name: it.field for it in flow.nodes.values() if isinstance(it.action, Ask) and it.field is not None
    }
    known = {name for name in asked if frame.values.get(name) is not None or name in frame.asked}
    return [
        FlowQuestion(label=field.label, state="now" if name == present else "done" if name in known else "ahead")
        for name, field in asked.items()
    ]


def transfer_of(call: Call, show: Showing, session: Session) -> TransferView | None:
    """The transfer that brought the session and that nobody has accepted yet."""
    about = session.memory.get(TRANSFERRED)
    if about is None:
        return None
    return TransferView(
        line=about["line"],
        line_title=show.line_title(about["line"]),
        by=show.colleague(about["by"]),
        at=at(about["at"]),
        missing=list(about.get("missing", ())),
        mine=about["by"] == operator_id(call.me.id),
    )


def loan_of(call: Call, session: Session) -> LoanView | None:
    """What the bot asks for the person who has the session."""
    about = session.memory.get(LOAN)
    if about is None:
        return None
    book = call.floor.book()
    known = book.flows.get(about["flow"]) if book is not None else None
    return LoanView(flow=about["flow"], title=known.title if known is not None else about["flow"], at=at(about["at"]))


def held_until(session: Session) -> datetime | None:
    """When a session that was put aside comes back by itself; None where it does not."""
    return moment(session.memory.get(HELD, 0.0)) if session.status == "held" else None


def _title(call: Call, run: Run) -> str:
    """Of the flow that is on: the deepest of the run's stack."""
    frame, book = run.frames[-1], call.floor.book()
    compiled = book.versions.get((frame.flow, frame.version)) if book is not None else None
    return compiled.title if compiled is not None else frame.flow
