"""Digressions, and the questions the engine asks by itself: interrupt? which of these flows?"""

from __future__ import annotations

from typing import Any

from bot.compile import CompiledFlow
from bot.engine.ground import LENT
from bot.engine.hearing import Said, said_text
from bot.engine.runs import is_lobby, start_run, suspend
from bot.engine.walk import Walk
from bot.engine.words import ask_again
from bot.matcher import Match
from bot.options import match_option
from core.rich import Rich

YES = frozenset({"да", "ага", "угу", "конечно", "давай", "yes", "y", "ok", "ок"})
NO = frozenset({"нет", "не", "не надо", "неа", "no", "n"})


def others(walk: Walk, ids: list[str]) -> list[CompiledFlow]:
    """Flows that may interrupt: not those the run is in, not those that never interrupt. Each once. None while the bot asks
    something for a person."""
    if LENT in walk.talk.memory:
        return []
    running = {frame.flow for frame in walk.run.frames} if walk.talk.run is not None else set()
    flows = [walk.book.flows[id] for id in dict.fromkeys(ids) if id in walk.book.flows and id not in running]
    return [flow for flow in flows if flow.flow.interrupts != "never"]


def digress(walk: Walk, heard: Said) -> bool:
    """Another flow's button, exact text, pattern or words fit what the strict step could not read. Depth 1."""
    if walk.talk.suspended is not None or heard.pressed:
        return False
    matches = walk.book.matcher.match(heard, repair=False)
    flows = others(walk, [match.flow for match in matches])
    if not flows:
        return greeted(walk, matches)
    if len(flows) > 1:
        ask_which(walk, flows, matches, heard)
        return True
    match = next(match for match in matches if match.flow == flows[0].id)
    tell(walk, match)
    interrupt(walk, flows[0], match.fills, heard)
    return True


def greeted(walk: Walk, matches: list[Match]) -> bool:
    """«Привет» to the welcome that already waits is no wrong answer: the question is asked once more."""
    if not is_lobby(walk) or all(match.flow != walk.frame.flow for match in matches):
        return False
    walk.note("greeted")
    ask_again(walk)
    return True


def tell(walk: Walk, match: Match) -> None:
    walk.note("trigger", trigger=match.trigger.word, flow=match.flow, why=match.why)


def interrupt(
    walk: Walk, flow: CompiledFlow, fills: dict[str, Any], heard: Said | None, sure: bool | None = None
) -> None:
    """Begin the flow over the live run, or ask first. `sure`: True never asks, False always asks."""
    if sure is None and is_lobby(walk):
        walk.close(walk.t("cancelled"))
        start_run(walk, flow, "from the menu", fills, heard)
        return
    how = flow.flow.interrupts or ("at_once" if flow.quick else "confirm")
    if sure is True or (sure is None and how == "at_once"):
        suspend(walk)
        start_run(walk, flow, "digression", fills, heard)
        return
    run = walk.run
    walk.ask_own(
        "interrupt",
        Rich(walk.t("Interrupt “{title}”?", title=walk.title(run))),
        [walk.t("Yes"), walk.t("No")],
        flows=[flow.id],
        fills=[dict(fills)],
        text=heard.text if heard is not None else "",
    )


def ask_which(walk: Walk, flows: list[CompiledFlow], matches: list[Match], heard: Said) -> None:
    """Two flows fit equally well: let the client say which."""
    walk.note("which", flows=[flow.id for flow in flows])
    walk.ask_own(
        "which",
        Rich(walk.t("Please choose what you mean:")),
        [flow.title for flow in flows],
        flows=[flow.id for flow in flows],
        fills=[dict(next(m.fills for m in matches if m.flow == flow.id)) for flow in flows],
        text=heard.text,
    )


def answer_own(walk: Walk, heard: Said) -> bool:
    """The answer to a question of the engine's own. Anything else takes the question back."""
    asking = walk.talk.asking
    if not asking:
        return False
    n = own_option(asking, heard)
    if n is None:
        walk.talk.asking = {}
        return False
    act_own(walk, n)
    return True


def own_option(asking: dict[str, Any], heard: Said) -> int | None:
    n = match_option(heard, tuple(asking["labels"]))
    if n is None and asking["kind"] == "interrupt":
        return 0 if heard.normal in YES else 1 if heard.normal in NO else None
    return n


def act_own(walk: Walk, n: int) -> None:
    """The client chose the n-th button of the engine's question."""
    asking, walk.talk.asking = walk.talk.asking, {}
    heard = said_text(asking.get("text", ""))
    if asking["kind"] == "interrupt" and n == 1:
        walk.note("stay")
        if walk.talk.run is not None:
            walk.frame.memory["insist"] = heard.normal
            ask_again(walk)
        return
    flow = walk.book.flows.get(asking["flows"][n])
    if flow is None:
        walk.say(Rich(walk.t("This button is out of date.")))
        return
    if walk.talk.run is not None:
        interrupt(walk, flow, asking["fills"][n], heard, sure=True)
    else:
        start_run(walk, flow, "chosen", asking["fills"][n], heard)


def command(walk: Walk, heard: Said) -> bool:
    """A flow's `command` trigger acts as a digression."""
    if not heard.command:
        return False
    flows = others(walk, [match.flow for match in walk.book.matcher.command(heard.command)])
    if not flows:
        return False
    divert(walk, flows[0], {}, heard)
    return True


def divert(walk: Walk, flow: CompiledFlow, fills: dict[str, Any], heard: Said | None) -> None:
    """The client asked for a flow outright, by a command, a link or an old button. A digression that is on gives way for
    good, so then it is always asked about."""
    if walk.talk.run is None:
        start_run(walk, flow, "asked", fills, heard)
    else:
        interrupt(walk, flow, fills, heard, sure=None if walk.talk.suspended is None else False)
