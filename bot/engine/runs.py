"""Runs: begun by triggers, suspended by digressions, resumed, cancelled, moved to a new version."""

from __future__ import annotations

from typing import Any

import msgspec

from bot.compile import CompiledFlow
from bot.engine.ground import LENT
from bot.engine.hearing import Said, said_text
from bot.engine.lending import give_back
from bot.engine.picking import pick
from bot.engine.walk import Walk, build_inputs, copy_run
from bot.fields import Accepted, kind_of
from bot.model import Field
from core.conversation import Frame, Run
from core.events import Event, Outside, TicketChanged
from core.rich import Rich

SETTLINGS = 20  # waiting events released by one step, at most


def start_run(
    walk: Walk,
    flow: CompiledFlow,
    why: str,
    fills: dict[str, Any] | None = None,
    heard: Said | None = None,
    event: dict[str, Any] | None = None,
) -> None:
    """Begin a run of the flow. `fills` are the named groups of its trigger, `heard` the message that fields are picked
    out of, `event` the data of an outside event."""
    walk.talk.runs += 1
    walk.talk.asking = {}
    frame = Frame(flow.id, flow.version, "", values=build_inputs(flow, fills or {}))
    if event:
        frame.memory["event"] = event
    walk.talk.run = Run(walk.talk.runs, [frame])
    walk.record("run_started", flow=flow.id, run=walk.talk.runs, why=why)
    walk.note("start", flow=flow.id, why=why)
    fill_fields(walk, flow, frame, fills or {})
    if heard is not None:
        pick(walk, flow, frame, heard, flow.picked)
        if heard.text:
            walk.remember_heard(heard.text)
    walk.enter(flow.start)
    walk.advance()


def fill_fields(walk: Walk, flow: CompiledFlow, frame: Frame, fills: dict[str, Any]) -> None:
    """What the trigger caught fills the fields of the same name, if the field takes it."""
    for name, caught in fills.items():
        field = flow.flow.fields.get(name)
        if field is not None and caught:
            parsed = kind_of(field).parse(field, said_text(str(caught)), walk.now, walk.t)
            if isinstance(parsed, Accepted):
                frame.values[name] = parsed.value


def suspend(walk: Walk) -> None:
    """Put the run aside for a digression; a digression that is on already makes room."""
    run = walk.run
    if walk.talk.suspended is not None:
        walk.close(walk.t("cancelled"))
    else:
        walk.talk.suspended = run
        walk.talk.run = None
        walk.record("digressed", **walk.place(run))
    walk.talk.asking = {}


def is_lobby(walk: Walk) -> bool:
    """Whether the run stands in the welcome or the fallback flow itself: it only shows ways, so leaving it loses nothing."""
    frames = walk.run.frames
    lobbies = (walk.book.bot.welcome, walk.book.bot.fallback)
    return len(frames) == 1 and frames[0].flow in lobbies and walk.node.field is None and not walk.node.policy


def resume(walk: Walk) -> None:
    """Back from a digression: say where we are, and ask the question once; attempts stay as they were."""
    run = copy_suspended(walk)
    walk.talk.run, walk.talk.suspended = run, None
    walk.note("resume", flow=run.frames[0].flow)
    if lost(walk, run):
        restart(walk)
        return
    walk.say(Rich(walk.t("Back to: “{title}”", title=walk.title(run))))
    walk.node.action.again(walk)
    walk.advance()
    if run.held and not run.pending:  # its call came back meanwhile: what the client said then is heard at last
        walk.kept, run.held = [*walk.kept, *run.held], []


def settle(walk: Walk) -> None:
    """When a run is over: resume the suspended one, else begin what waited for the end."""
    for _ in range(SETTLINGS):
        if walk.talk.run is not None or walk.mute:
            return
        if LENT in walk.talk.memory and walk.talk.suspended is None:
            give_back(walk)
            return
        if walk.talk.suspended is not None:
            resume(walk)
        elif walk.talk.waiting:
            first, *rest = walk.talk.waiting
            walk.talk.waiting = rest
            release(walk, first)
        else:
            return


def release(walk: Walk, raw: dict[str, Any]) -> None:
    """Begin what an event that waited asks for."""
    from bot.engine.outside import on_outside, on_ticket_changed

    event = decode_event(raw)
    if isinstance(event, Outside):
        on_outside(walk, event)
    elif isinstance(event, TicketChanged):
        on_ticket_changed(walk, event)


def copy_suspended(walk: Walk) -> Run:
    """The suspended run, to be changed."""
    assert walk.talk.suspended is not None
    run = walk.talk.suspended = copy_run(walk.talk.suspended)
    return run


def encode_event(event: Event) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.to_builtins(event)
    return data


def decode_event(raw: dict[str, Any]) -> Event | None:
    try:
        event: Event = msgspec.convert(raw, Event)
        return event
    except msgspec.ValidationError:
        return None


def cancel(walk: Walk, outcome: str) -> None:
    """End the live run and whatever it hides."""
    walk.talk.asking = {}
    if walk.talk.run is not None:
        walk.record("cancelled", **walk.place(walk.run))
        walk.close(outcome)


def cancel_all(walk: Walk, outcome: str) -> None:
    cancel(walk, outcome)
    if walk.talk.suspended is not None:
        walk.talk.run, walk.talk.suspended = walk.talk.suspended, None
        walk.close(outcome)


def lost(walk: Walk, run: Run) -> bool:
    """Whether a version the run stands on serves no more."""
    for frame in run.frames:
        flow = walk.book.versions.get((frame.flow, frame.version))
        if flow is None or frame.state not in flow.nodes:
            return True
    return False


def restart(walk: Walk) -> None:
    """The run's version is gone: its flow begins anew in the new one, with the values that still fit."""
    run = walk.run
    root, head = run.frames[0], walk.head(run)
    flow = walk.book.flows.get(head.flow)
    walk.talk.asking = {}
    walk.say(Rich(walk.t("We have updated this dialogue, so let me ask once more.")))
    if flow is None:
        walk.close(walk.t("updated"))
        return
    values = {name: value for frame in reversed(run.frames) for name, value in frame.values.items()}
    frame = Frame(flow.id, flow.version, "", values={**build_inputs(flow, values), **fitting(flow, values)})
    frame.memory = {"event": root.memory["event"]} if "event" in root.memory else {}
    frame.memory["kept"] = {
        other.flow: fitting(walk.book.flows[other.flow], other.values)
        for other in run.frames
        if other is not head and other.flow in walk.book.flows
    }
    walk.talk.run = copy_run(Run(run.number, [frame]))
    walk.note("restarted", flow=flow.id, version=flow.version)
    walk.enter(flow.start)
    walk.advance()


def fitting(flow: CompiledFlow, values: dict[str, Any]) -> dict[str, Any]:
    """Values whose fields are still there and still take them."""
    return {
        field.name: values[field.name]
        for field in flow.flow.fields.values()
        if values.get(field.name) is not None and _fits(field, values[field.name])
    }


def _fits(field: Field, value: Any) -> bool:
    labels = {option.label for option in field.options}
    if field.type == "choice":
        return value in labels
    if field.type in ("many", "photo", "file"):
        return isinstance(value, list) and (not labels or labels.issuperset(map(str, value)))
    if field.type in ("number", "money", "rating"):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if field.type == "yes_no":
        return isinstance(value, bool)
    if field.type in ("location", "contact"):
        return isinstance(value, (str, dict))
    return isinstance(value, str) and (field.pattern is None or field.pattern.whole(value) is not None)
