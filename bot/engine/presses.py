"""Buttons: of the question that waits, of an earlier one in reach of «назад», of the engine; the others are out of date."""

from __future__ import annotations

from bot.engine.digress import act_own, divert, others
from bot.engine.hearing import pressed
from bot.engine.listen import answer, flush, hold
from bot.engine.runs import lost, settle
from bot.engine.walk import Walk, copy_run
from bot.engine.words import ask_again
from core.conversation import Frame, Run
from core.events import Press
from core.normal import normal
from core.rich import Rich


def on_press(walk: Walk, event: Press) -> None:
    """A button of a session that people own is theirs."""
    if walk.mute:
        walk.note("owner", owner=walk.conversation.session.owner)
        return
    flush(walk)
    press(walk, event)
    settle(walk)


def press(walk: Walk, event: Press) -> None:
    run = walk.talk.run
    walk.entered = 0
    number, key, n = parse_token(event.token)
    if number == 0:
        press_own(walk, event, key, n)
    elif run is not None and run.pending:
        hold(walk, event)
    elif run is not None and number == run.number and press_run(walk, run, key, n, event.label):
        return
    elif not press_suspended(walk, number, key, n, event.label):
        stale(walk, event)


def parse_token(token: str) -> tuple[int, str, int]:
    """`run.state.n`; (-1, "", -1) for anything else."""
    parts = token.split(".")
    if len(token) > 32 or len(parts) != 3 or not all(part.isascii() and part.isdecimal() for part in parts):
        return -1, "", -1
    return int(parts[0]), parts[1], int(parts[2])


def press_own(walk: Walk, event: Press, key: str, n: int) -> None:
    asking = walk.talk.asking
    if asking and key == str(asking["id"]) and n < len(asking["labels"]):
        act_own(walk, n)
    else:
        stale(walk, event)


def press_run(walk: Walk, run: Run, key: str, n: int, label: str) -> bool:
    """Act on a button of the run: of the waiting question, or of one that «назад» would reach."""
    pressed_label = offered(walk.frame, n, label) if walk.node.key == key and run.question else ""
    if not pressed_label:
        found = find_snapshot(walk, key, n, label)
        if found is None:
            return False
        place, pressed_label = found
        walk.restore(place)
        walk.record("back", flow=walk.frame.flow, step=walk.node.step)
        walk.note("back", state=walk.frame.state, why="an old button")
        run.question = {"state": key}
    walk.talk.asking = {}
    walk.note("press", label=n)
    answer(walk, pressed(pressed_label))
    return True


def offered(frame: Frame, n: int, label: str) -> str:
    """The label that a button means at the question last asked in the frame, empty when that question has none such: a
    state may have asked before with other buttons. Channels that tell no label are taken by the number."""
    labels = frame.memory.get("labels", ())
    if label:
        return (
            label if label in labels else next((str(known) for known in labels if normal(known) == normal(label)), "")
        )
    return str(labels[n]) if n < len(labels) else ""


def find_snapshot(walk: Walk, key: str, n: int, label: str) -> tuple[int, str] | None:
    """The latest snapshot that stands at the state and offers the button, with its label; None when «назад» would not
    reach it."""
    for place in range(len(walk.run.snapshots) - 1, -1, -1):
        frame = walk.snapshot(place)[-1]
        flow = walk.book.versions.get((frame.flow, frame.version))
        if flow is not None and frame.state in flow.nodes and flow.nodes[frame.state].key == key:
            found = offered(frame, n, label)
            if found:
                return place, found
    return None


def press_suspended(walk: Walk, number: int, key: str, n: int, label: str) -> bool:
    """A button of the interrupted run ends the digression and acts there."""
    suspended, digression = walk.talk.suspended, walk.talk.run
    if suspended is None or suspended.number != number or suspended.pending or lost(walk, suspended):
        return False
    walk.talk.run, walk.talk.suspended = copy_run(suspended), None
    if press_run(walk, walk.run, key, n, label):
        if digression is not None:
            walk.record("cancelled", **walk.place(digression))
            walk.record("run_ended", flow=digression.frames[0].flow, outcome=walk.t("cancelled"), run=digression.number)
        return True
    walk.talk.run, walk.talk.suspended = digression, suspended
    return False


def stale(walk: Walk, event: Press) -> None:
    """An old button starts its flow when its label is a trigger; else the client hears that it is out of date."""
    flows = others(walk, [match.flow for match in walk.book.matcher.button(event.label)]) if event.label else []
    if flows:
        walk.note("trigger", trigger="button", flow=flows[0].id, why="an old button")
        divert(walk, flows[0], {}, None)
        return
    walk.note("stale")
    walk.say(Rich(walk.t("This button is out of date.")))
    if walk.talk.run is not None and not walk.run.pending:
        ask_again(walk)
