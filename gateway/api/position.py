"""Where a talk stands: the step of the flow, what was collected, what may be done now."""

from __future__ import annotations

from bot.engine.collected import Known, known_fields
from core.accounts import operator_id
from core.conversation import Conversation, Run
from core.turn import Facts
from gateway.api.deeds import right
from gateway.api.models_conversations import FlowView
from gateway.api.route import Call
from handoff.decision import Decision
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


def flow_of(call: Call, state: Conversation) -> FlowView | None:
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
    return FlowView(
        flow=frame.flow,
        title=_title(call, run),
        step=step,
        question=str(run.question.get("text", "")),
        suspended=_title(call, aside) if aside is not None else "",
    )


def _title(call: Call, run: Run) -> str:
    """Of the flow that is on: the deepest of the run's stack."""
    frame, book = run.frames[-1], call.floor.book()
    compiled = book.versions.get((frame.flow, frame.version)) if book is not None else None
    return compiled.title if compiled is not None else frame.flow
