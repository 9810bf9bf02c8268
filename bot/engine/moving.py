"""A run moves: the client goes on in another channel. The conversation that has it gives it away, the other one takes it."""

from __future__ import annotations

from typing import Any

import msgspec

from bot.engine.codes import on_code_answer, title_of
from bot.engine.listen import flush
from bot.engine.runs import copy_suspended, is_lobby, lost, restart, settle, suspend
from bot.engine.walk import Walk
from bot.engine.words import ask_again, welcome
from core.conversation import Run
from core.effects import Forward, Note
from core.events import CallDone, MoveAsked, Moved
from core.rich import Rich

ORIGIN = "moved_from"  # in the memory of a run's first frame: the conversation that it came from first
FORWARDED = "moved"  # in the talk's memory: remote calls whose run has moved, and where to


# --- away ------------------------------------------------------------------------------------------------------------


def on_move_asked(walk: Walk, event: MoveAsked) -> None:
    """Give the run away, or say why there is none to give. The client always hears of it here: the code may be stolen."""
    if not walk.peoples:
        flush(walk)
    title = title_of(walk, event.channel)
    if event.back and (walk.peoples or not _came_from(walk, event.to)):
        walk.note("move_void", to=event.to)
        return
    moved = _give(walk, event)
    walk.note("moved", to=event.to, why=moved.why)
    walk.effects.append(Forward(event.to, moved, f"moved:{walk.conversation.id}:{walk.serial('moves')}"))
    if moved.why == "people":
        walk.effects.append(
            Note(walk.t("The client has proved to be the one who writes in {title}, too.", title=title))
        )
        said = walk.t("You write to us in {title}, too, now. People answer you here.", title=title)
    elif event.back:
        said = walk.t("This conversation has gone back to {title}.", title=title)
    elif moved.why:
        said = walk.t("You write to us in {title}, too, now. If that is not you, call an operator here.", title=title)
    else:
        said = walk.t("We go on in {title}. If that is not you, call an operator here.", title=title)
    walk.say(Rich(said), notice=True)
    settle(walk)


def _came_from(walk: Walk, origin: int) -> bool:
    run = walk.talk.suspended or walk.talk.run
    return run is not None and run.frames[0].memory.get(ORIGIN) == origin


def _give(walk: Walk, event: MoveAsked) -> Moved:
    home = walk.conversation
    if walk.peoples:
        return Moved(home.id, home.channel, why="people", line=_line_title(walk), back=event.back)
    run = walk.talk.run
    if run is None or (walk.talk.suspended is None and not lost(walk, run) and is_lobby(walk)):
        return Moved(home.id, home.channel, why="nothing", back=event.back)
    suspended = copy_suspended(walk) if walk.talk.suspended is not None else None
    walk.record("run_moved", flow=run.frames[0].flow, run=run.number, to=event.to)
    walk.talk.run = walk.talk.suspended = None
    walk.talk.asking = {}
    return Moved(home.id, home.channel, _pack(walk, run, event), _pack(walk, suspended, event), back=event.back)


def _line_title(walk: Walk) -> str:
    line = walk.conversation.session.line
    known = walk.facts.lines.get(line)
    return known.title if known is not None else line


def _pack(walk: Walk, run: Run | None, event: MoveAsked) -> dict[str, Any] | None:
    """The run as it travels. The result of a call that it waits for comes here, and will be sent after it."""
    if run is None:
        return None
    if run.pending:
        walk.talk.memory[FORWARDED] = {**walk.talk.memory.get(FORWARDED, {}), run.pending: event.to}
    memory = run.frames[0].memory
    if memory.setdefault(ORIGIN, walk.conversation.id) == event.to:
        del memory[ORIGIN]
    packed: dict[str, Any] = msgspec.to_builtins(run)
    return packed


def forward_result(walk: Walk, event: CallDone) -> bool:
    """The result of a call whose run has moved goes after it. Whether it did."""
    moved = dict(walk.talk.memory.get(FORWARDED, {}))
    to = moved.pop(event.key, 0)
    if not to:
        return False
    walk.talk.memory[FORWARDED] = moved
    walk.note("forwarded", call=event.key, to=to)
    walk.effects.append(Forward(int(to), event, f"forwarded:{event.key}"))
    return True


# --- here ------------------------------------------------------------------------------------------------------------


def on_moved(walk: Walk, event: Moved) -> None:
    """Go on with the run of the other conversation: the same fields, the same question."""
    if not walk.peoples:
        flush(walk)
    walk.note("taken", origin=event.origin, why=event.why)
    run, suspended = _unpack(event.run), _unpack(event.suspended)
    if run is None:
        _take_nothing(walk, event)
    else:
        _take(walk, run, suspended)
    settle(walk)


def _unpack(raw: dict[str, Any] | None) -> Run | None:
    return None if raw is None else msgspec.convert(raw, Run)


def _take_nothing(walk: Walk, event: Moved) -> None:
    if event.back:
        return
    title = title_of(walk, event.channel)
    if event.why == "people":
        said = walk.t(
            "I know you here, too, now. People answer you in {title}: they keep your conversation there.", title=title
        )
        walk.say(Rich(said), notice=True)
        return
    walk.say(Rich(walk.t("Done: I know you here, too, now.")), notice=True)
    if not walk.peoples and walk.talk.run is None:
        welcome(walk, "joined")
    elif not walk.peoples and not walk.run.pending and not lost(walk, walk.run):
        ask_again(walk)


def _take(walk: Walk, run: Run, suspended: Run | None) -> None:
    """The run is live here. A run of our own is put aside as for a digression; then the other's digression ends."""
    walk.talk.asking = {}
    walk.entered = 0
    own = walk.talk.run
    if own is not None and walk.talk.suspended is None and not lost(walk, own) and is_lobby(walk):
        walk.close(walk.t("cancelled"))
    elif own is not None:
        suspend(walk)
    if walk.talk.suspended is not None and suspended is not None:
        walk.record("cancelled", **walk.place(run))
        run, suspended = suspended, None
    walk.talk.run = _renumbered(walk, run)
    if suspended is not None:
        walk.talk.suspended = _renumbered(walk, suspended)
    if walk.peoples:  # the people who have the session see what was collected; the bot asks when it is given back
        walk.effects.append(Note(walk.t("The client brought a dialogue along: {fields}", fields=walk.summary() or "—")))
        return
    _go_on(walk, run)


def _renumbered(walk: Walk, run: Run) -> Run:
    """Numbers of runs are the conversation's own: buttons and tickets are told apart by them."""
    walk.talk.runs += 1
    run.number = walk.talk.runs
    return run


def _go_on(walk: Walk, run: Run) -> None:
    walk.say(Rich(walk.t("We go on here: “{title}”", title=walk.title(run))))
    if lost(walk, run):
        restart(walk)
    elif not run.pending or "result" in run.frames[-1].memory:  # its call may have come back while it was put aside
        walk.node.action.again(walk)
        walk.advance()
        if run.held and not run.pending:
            walk.kept, run.held = [*walk.kept, *run.held], []


# --- codes that did nothing ------------------------------------------------------------------------------------------


def on_code_result(walk: Walk, event: CallDone) -> None:
    """After a refused code the client hears where they are: the question again, or the menu for whoever is new."""
    if not on_code_answer(walk, event) or walk.peoples:
        return
    if walk.talk.run is None:
        if not walk.talk.runs:
            welcome(walk, "a code")
            settle(walk)
    elif not walk.run.pending and not lost(walk, walk.run):
        ask_again(walk)
        settle(walk)
