"""Answers from outside the dialogue: of services, of outer desks, of lines."""

from __future__ import annotations

import msgspec

from bot.engine.begin import begin_by_name
from bot.engine.codes import answers_code
from bot.engine.ground import COLLECTED, EDITED
from bot.engine.listen import listen
from bot.engine.moving import forward_result, on_code_result
from bot.engine.outside import open_link
from bot.engine.presses import press
from bot.engine.runs import cancel_all, copy_suspended, decode_event, lost, restart, settle
from bot.engine.walk import Walk
from bot.engine.words import ask_again, welcome
from core.events import CallDone, LineAnswer, Message, Opened, Press
from core.rich import Rich


def on_call_done(walk: Walk, event: CallDone) -> None:
    """The result of the call a run waits for. While people own the session it is kept for later."""
    run, suspended = walk.talk.run, walk.talk.suspended
    if answers_code(event):
        on_code_result(walk, event)
    elif run is not None and run.pending == event.key and not walk.mute:
        take_result(walk, event)
    elif run is not None and run.pending == event.key:
        run.frames[-1].memory["result"] = msgspec.to_builtins(event)
    elif suspended is not None and suspended.pending == event.key:
        copy_suspended(walk).frames[-1].memory["result"] = msgspec.to_builtins(event)
    elif not forward_result(walk, event):
        walk.note("void", call=event.key)


def take_result(walk: Walk, event: CallDone) -> None:
    run = walk.run
    held, run.held, run.pending = run.held, [], ""
    walk.note("call_done", status=event.status)
    if event.status == "failed":
        walk.error(f"call failed: {event.error[:200]}")
    walk.node.action.done(walk, event)
    walk.advance()
    replay(walk, held)
    settle(walk)


def replay(walk: Walk, held: list[dict[str, object]]) -> None:
    """What the client did while the call ran, in order; a new call holds the rest again."""
    for n, raw in enumerate(held):
        run = walk.talk.run
        if run is not None and run.pending:
            run.held = [*run.held, *held[n:]]
            return
        event = decode_event(raw)
        walk.entered = 0
        if isinstance(event, Message):
            listen(walk, event, False)
        elif isinstance(event, Press):
            press(walk, event)
            settle(walk)
        elif isinstance(event, Opened):
            open_link(walk, event.link)
            settle(walk)


def replay_kept(walk: Walk) -> None:
    """A run that was put aside while its call ran has come back, or is over by now: what it held is replayed too."""
    held, walk.kept = walk.kept, []
    if held and not walk.mute:
        replay(walk, held)
        settle(walk)


def on_line_answer(walk: Walk, event: LineAnswer) -> None:
    """How a handoff ended: back to the flow, or the end of it."""
    walk.note("line", answer=event.answer, line=event.line)
    if event.answer == "done":
        finish_session(walk)
    elif event.answer == "left":
        cancel_all(walk, walk.t("cancelled"))
        welcome(walk, "left the queue")
    elif walk.talk.run is not None:
        if lost(walk, walk.run):
            restart(walk)
        else:
            come_back(walk, event)
    settle(walk)


def come_back(walk: Walk, event: LineAnswer) -> None:
    """The session is the bot's again."""
    if walk.node.action.word != "handoff":  # people had taken the session in the middle of a form
        walk.say(Rich(walk.t("Back to: “{title}”", title=walk.title(walk.run))))
        ask_again(walk)
        return
    if event.answer == "returned":
        walk.go("next")
    else:
        walk.refused(event.answer, event.line)
    walk.advance()


def finish_session(walk: Walk) -> None:
    """Closed by people: every run ends, and a flow may ask for a rating."""
    outcome = walk.t("closed by the line")
    for _ in range(2):
        if walk.talk.run is None:
            walk.talk.run, walk.talk.suspended = walk.talk.suspended, None
        if walk.talk.run is not None:
            walk.close(outcome)
    walk.talk.asking = {}
    for mark in (COLLECTED, EDITED):
        walk.talk.memory.pop(mark, None)
    begin_by_name(walk, "session_closed", {})
