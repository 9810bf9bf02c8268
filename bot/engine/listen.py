"""A client's message, in the order of the flow language: system words, a running call, the waiting field, digressions."""

from __future__ import annotations

from typing import Any

from bot.actions.ask import Ask
from bot.actions.choose import Choose
from bot.compile import CompiledFlow
from bot.engine.hearing import Said, said, said_text
from bot.engine.pieces import belongs, hold_piece, kept_pieces, pause_for, take_pieces
from bot.engine.runs import cancel, cancel_all, encode_event, lost, restart, settle, start_run, suspend
from bot.engine.walk import Refusal, Walk
from bot.fields import kind_of
from bot.matcher import Match
from bot.options import match_option
from core.events import Message
from core.normal import normal
from core.rich import Rich

HELD = 20  # messages kept while a remote call runs
YES = frozenset({"да", "ага", "угу", "конечно", "давай", "yes", "y", "ok", "ок"})
NO = frozenset({"нет", "не", "не надо", "неа", "no", "n"})
THANKS = frozenset(
    {
        "спасибо",
        "спасибо большое",
        "большое спасибо",
        "огромное спасибо",
        "спасибо вам",
        "благодарю",
        "спс",
        "thanks",
        "thank you",
        "thank you very much",
    }
)


def on_message(walk: Walk, message: Message) -> None:
    """Join pieces, then listen. A message of a session that people own is theirs."""
    first = walk.talk.messages == 0
    walk.talk.messages += 1
    if walk.mute:
        walk.talk.memory.pop("pieces", None)
        walk.note("owner", owner=walk.conversation.session.owner)
        return
    flush_before(walk, message)
    seconds = pause_for(walk, message)
    if seconds and len(kept_pieces(walk)) < 50 and not system_word(walk, said(message)):
        hold_piece(walk, message, seconds)
        return
    listen(walk, message, first)


def flush_before(walk: Walk, message: Message) -> None:
    """Pieces kept so far are an answer of their own when the new message is of another kind."""
    pieces = kept_pieces(walk)
    if not pieces:
        return
    if pause_for(walk, message) and belongs(pieces, message) and not system_word(walk, said(message)):
        return
    flush(walk)


def flush(walk: Walk) -> None:
    whole = take_pieces(walk)
    if whole is not None and not walk.mute:
        listen(walk, whole, False)


def listen(walk: Walk, message: Message, first: bool) -> None:
    """One whole message."""
    walk.entered = 0
    walk.message_text = message.text
    heard = said(message)
    if not (obey(walk, heard) or answer_own(walk, heard)):
        if walk.talk.run is None:
            begin(walk, heard, first)
        elif walk.run.pending:
            hold(walk, message)
        elif not command(walk, heard):
            answer(walk, heard)
    settle(walk)


def hold(walk: Walk, event: Any) -> None:
    """A remote call is running: the message waits for its result."""
    run = walk.run
    if len(run.held) < HELD:
        run.held = [*run.held, encode_event(event)]
    walk.note("held", count=len(run.held))


# --- system words ----------------------------------------------------------------------------------------------------


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
    walk.talk.asking = {}
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
    flow = walk.book.flows.get(walk.book.bot.operator)
    if flow is None:
        return
    if walk.talk.run is not None:
        if walk.run.frames[0].flow == flow.id:
            ask_again(walk)
            return
        suspend(walk)
    start_run(walk, flow, "operator")


def obey_menu(walk: Walk) -> None:
    cancel_all(walk, walk.t("cancelled"))
    welcome(walk, "menu")


def welcome(walk: Walk, why: str) -> None:
    flow = walk.book.flows.get(walk.book.bot.welcome)
    if flow is not None:
        start_run(walk, flow, why)


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
}


# --- the waiting step ------------------------------------------------------------------------------------------------


def answer(walk: Walk, heard: Said) -> None:
    """The waiting step hears the message; else a digression; else it was wrong."""
    if not walk.run.question:  # at a handoff that people have not taken up
        ask_again(walk)
        return
    if typed_button(walk, heard):
        return
    refusal = walk.node.action.hear(walk, heard)
    if refusal is None:
        walk.advance()
    elif not (refusal.strict and digress(walk, heard)):
        wrong(walk, refusal)
        walk.advance()


def typed_button(walk: Walk, heard: Said) -> bool:
    """An exact label of a menu button typed into a plain text field is asked about, once."""
    field = walk.node.field
    if field is None or not heard.text or heard.pressed or kind_of(field).strict(field):
        return False
    if walk.talk.suspended is not None or walk.frame.memory.get("insist") == heard.normal:
        return False
    flows = others(walk, [match.flow for match in walk.book.matcher.button(heard.text)])
    if not flows:
        return False
    interrupt(walk, flows[0], {}, heard, sure=False)
    return True


def wrong(walk: Walk, refusal: Refusal) -> None:
    """Count the attempt; say what was wrong with the question and an example, or give up."""
    frame, node, field = walk.frame, walk.node, walk.node.field
    frame.attempts += 1
    walk.record("wrong", flow=frame.flow, step=node.step, attempt=frame.attempts)
    walk.note("wrong", state=frame.state, attempt=frame.attempts)
    limit = field.attempts if field is not None and field.attempts is not None else walk.flow.policy.attempts
    if frame.attempts >= limit:
        walk.too_many()
        return
    walk.lead = [wrong_text(walk, refusal, frame.attempts)]
    if field is not None and field.example:
        walk.tail = [Rich(walk.t("For example: {example}", example=field.example))]
    node.action.again(walk)


def wrong_text(walk: Walk, refusal: Refusal, attempt: int) -> Rich:
    """A check's own words, the field's `wrong`, what the field's type found, the policy's words: the first there is."""
    field = walk.node.field
    if refusal.own and refusal.text is not None:
        return refusal.text
    if field is not None and field.wrong:
        return walk.rich(field.wrong[min(attempt, len(field.wrong)) - 1])
    if refusal.text is not None and refusal.text.text:
        return refusal.text
    if walk.flow.policy.wrong is not None:
        return walk.rich(walk.flow.policy.wrong)
    return Rich(walk.t("I could not read that as an answer."))


# --- digressions -----------------------------------------------------------------------------------------------------


def others(walk: Walk, ids: list[str]) -> list[CompiledFlow]:
    """Flows that may interrupt: not those the run is in, not those that never interrupt. Each once."""
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
        return False
    if len(flows) > 1:
        ask_which(walk, flows, heard)
        return True
    match = next(match for match in matches if match.flow == flows[0].id)
    tell(walk, match)
    interrupt(walk, flows[0], match.fills, heard)
    return True


def tell(walk: Walk, match: Match) -> None:
    walk.note("trigger", trigger=match.trigger.word, flow=match.flow, why=match.why)


def interrupt(
    walk: Walk, flow: CompiledFlow, fills: dict[str, Any], heard: Said | None, sure: bool | None = None
) -> None:
    """Begin the flow over the live run, or ask first. `sure`: True never asks, False always asks."""
    how = flow.flow.interrupts or ("at_once" if flow.quick else "confirm")
    if sure is True or (sure is None and how == "at_once"):
        suspend(walk)
        start_run(walk, flow, "digression", fills, heard)
        return
    if sure is None and is_lobby(walk):
        walk.close(walk.t("cancelled"))
        start_run(walk, flow, "from the menu", fills, heard)
        return
    run = walk.run
    walk.ask_own(
        "interrupt",
        Rich(walk.t("Interrupt “{title}”?", title=walk.title(run))),
        [walk.t("Yes"), walk.t("No")],
        flows=[flow.id],
        fills=dict(fills),
        text=heard.text if heard is not None else "",
    )


def is_lobby(walk: Walk) -> bool:
    """Whether the run stands in the welcome or the fallback flow itself: it only shows ways, so leaving it loses nothing."""
    frames = walk.run.frames
    lobbies = (walk.book.bot.welcome, walk.book.bot.fallback)
    return len(frames) == 1 and frames[0].flow in lobbies and walk.node.field is None and not walk.node.policy


def ask_which(walk: Walk, flows: list[CompiledFlow], heard: Said) -> None:
    """Two flows fit equally well: let the client say which."""
    walk.note("which", flows=[flow.id for flow in flows])
    walk.ask_own(
        "which",
        Rich(walk.t("Please choose what you mean:")),
        [flow.title for flow in flows],
        flows=[flow.id for flow in flows],
        fills={},
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
        interrupt(walk, flow, asking.get("fills", {}), heard, sure=True)
    else:
        start_run(walk, flow, "chosen", asking.get("fills", {}), heard)


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
    """The client asked for a flow outright, by a command, a link or an old button: a digression that is on gives way."""
    if walk.talk.run is None:
        start_run(walk, flow, "asked", fills, heard)
    else:
        interrupt(walk, flow, fills, heard, sure=True if walk.talk.suspended is not None else None)


# --- nothing is running ----------------------------------------------------------------------------------------------


def begin(walk: Walk, heard: Said, first: bool) -> None:
    """Find the flow that the message starts."""
    matches = walk.book.matcher.command(heard.command) if heard.command else []
    matches = matches or walk.book.matcher.match(heard, repair=True)
    flows = others(walk, [match.flow for match in matches]) or [
        walk.book.flows[match.flow] for match in matches[:1] if match.flow in walk.book.flows
    ]
    if len(flows) > 1:
        ask_which(walk, flows, heard)
    elif flows:
        match = next(match for match in matches if match.flow == flows[0].id)
        tell(walk, match)
        start_run(walk, flows[0], match.trigger.word, match.fills, heard)
    elif heard.normal in THANKS and walk.talk.runs:
        thank(walk)
    elif not begin_by_event(walk, heard, first):
        fall_back(walk, heard)


def thank(walk: Walk) -> None:
    """«Спасибо» after the end restarts nothing."""
    thanks = walk.book.bot.policy.thanks
    walk.note("thanks")
    walk.say(walk.rich(thanks) if thanks is not None else Rich(walk.t("You are welcome!")))


def begin_by_event(walk: Walk, heard: Said, first: bool) -> bool:
    """The event triggers of a message: a file, a contact, the first ever, any."""
    names = ["file"] if heard.attachments else []
    names += ["contact"] if heard.contact is not None else []
    names += ["first_message"] if first else []
    return any(begin_by_name(walk, name, {}, heard) for name in [*names, "message"])


def begin_by_name(walk: Walk, name: str, data: dict[str, Any], heard: Said | None = None) -> bool:
    """Begin the first flow whose trigger awaits this event and whose `where` holds."""
    flow = find_by_event(walk, name, data)
    if flow is None:
        return False
    walk.note("trigger", trigger="event", flow=flow.id, why=name)
    start_run(walk, flow, f"event {name}", {}, heard, data)
    return True


def find_by_event(walk: Walk, name: str, data: dict[str, Any]) -> CompiledFlow | None:
    """The flow that the event would begin."""
    walk.event_data = data
    found = None
    for id, trigger in walk.book.matcher.event(name):
        flow = walk.book.flows.get(id)
        if flow is not None and (trigger.where is None or walk.truth(trigger.where)):
            found = flow
            break
    walk.event_data = {}
    return found


def fall_back(walk: Walk, heard: Said) -> None:
    """Nobody caught it: count it for the admin, and let the fallback flow answer."""
    walk.record("uncaught", text=heard.normal[:200])
    walk.note("uncaught")
    flow = walk.book.flows.get(walk.book.bot.fallback)
    if flow is not None:
        start_run(walk, flow, "fallback", None, heard)
