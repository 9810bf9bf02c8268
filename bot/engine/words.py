"""System words: cancel, back, operator, menu, skip, continue, and what they do."""

from __future__ import annotations

from bot.actions.ask import Ask
from bot.actions.choose import Choose
from bot.engine.codes import ask_code
from bot.engine.ground import LENT
from bot.engine.hearing import Said
from bot.engine.runs import cancel, cancel_all, is_lobby, lost, restart, start_run, suspend
from bot.engine.walk import Walk
from core.normal import normal
from core.rich import Rich

ENDS_LOAN = ("cancel", "operator", "menu")  # the client wants the person who lent the bot


def system_word(walk: Walk, heard: Said) -> str:
    """`cancel`, `back`, `operator`, `menu` or `skip`, when the whole message says so; an equal option of the waiting
    step wins, and `skip` counts only where there is something to skip."""
    word = walk.book.words.get(heard.command or heard.normal, "")
    if not word or walk.talk.run is None or walk.run.pending:
        return "" if word == "skip" else word
    node = walk.node
    if word == "skip" and not (isinstance(node.action, Ask) and node.field is not None and node.field.optional):
        return ""
    return "" if heard.normal in options_of(walk) and not heard.command else word


def options_of(walk: Walk) -> set[str]:
    """What the waiting step offers, as the client may type it."""
    if not walk.run.question:
        return set()
    node, offered = walk.node, {normal(label) for label in walk.frame.memory.get("labels", ())}
    if node.field is not None:
        if node.field.optional:
            offered.discard(normal(walk.t("Skip")))
        offered.update(normal(word) for option in node.field.options for word in option.words)
    if isinstance(node.action, Choose):
        offered.update(normal(word) for option in node.action.options for word in option.words)
    return offered


def obey(walk: Walk, heard: Said) -> bool:
    """Do what a system word asks. False when the message is none."""
    word = system_word(walk, heard)
    if not word or (word in ("back", "skip") and walk.talk.run is not None and walk.run.pending):
        return False
    walk.note("word", word=word)
    if LENT in walk.talk.memory and word in ENDS_LOAN:
        cancel_all(walk, walk.t("cancelled"))
    else:
        WORDS[word](walk)
    return True


def obey_cancel(walk: Walk) -> None:
    if walk.talk.run is None:
        walk.talk.asking = {}
        walk.say(Rich(walk.t("There is nothing to cancel.")))
        return
    cancel(walk, walk.t("cancelled"))
    walk.say(Rich(walk.t("Cancelled.")))


def obey_back(walk: Walk) -> None:
    """«Назад» at a question of the engine's own takes that question back; else one answer is forgotten."""
    asked, walk.talk.asking = walk.talk.asking, {}
    if asked and walk.talk.run is not None:
        walk.note("stay")
        ask_again(walk)
        return
    if walk.talk.run is None or not walk.run.snapshots:
        walk.say(Rich(walk.t("You cannot go back any further.")))
        if walk.talk.run is not None:
            ask_again(walk)
        return
    walk.restore(-1)
    go_back(walk)


def go_back(walk: Walk) -> None:
    """The run stands where a snapshot was taken: ask there again."""
    if lost(walk, walk.run):
        restart(walk)
        return
    walk.record("back", flow=walk.frame.flow, step=walk.node.step)
    walk.note("back", state=walk.frame.state)
    ask_again(walk)


def ask_again(walk: Walk) -> None:
    walk.node.action.again(walk)
    walk.advance()


def obey_operator(walk: Walk) -> None:
    """People are always one word away; what the run collected stays, and goes with the note."""
    walk.talk.asking = {}
    flow = walk.book.flows[walk.book.bot.operator]
    if walk.talk.run is not None:
        if walk.run.frames[0].flow == flow.id:
            ask_again(walk)
            return
        if is_lobby(walk):  # there is nothing to come back to
            walk.close(walk.t("cancelled"))
        else:
            suspend(walk)
    start_run(walk, flow, "operator")


def obey_menu(walk: Walk) -> None:
    cancel_all(walk, walk.t("cancelled"))
    welcome(walk, "menu")


def welcome(walk: Walk, why: str) -> None:
    start_run(walk, walk.book.flows[walk.book.bot.welcome], why)


def obey_skip(walk: Walk) -> None:
    action = walk.node.action
    assert isinstance(action, Ask)
    action.skip(walk)
    walk.advance()


WORDS = {
    "cancel": obey_cancel,
    "back": obey_back,
    "operator": obey_operator,
    "menu": obey_menu,
    "skip": obey_skip,
    "continue": ask_code,
}
