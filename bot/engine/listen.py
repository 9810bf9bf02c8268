"""A client's message, in the order of the flow language: system words, a running call, the waiting field, digressions."""

from __future__ import annotations

from typing import Any

from bot.engine.begin import begin, uncaught
from bot.engine.codes import ask_code, asks_for_code, code_in, take_code
from bot.engine.digress import answer_own, command, digress, interrupt, others
from bot.engine.hearing import Said, said
from bot.engine.pieces import belongs, hold_piece, kept_pieces, pause_for, take_pieces
from bot.engine.runs import encode_event, is_lobby, settle
from bot.engine.walk import Refusal, Walk
from bot.engine.words import ask_again, obey, system_word
from bot.fields import kind_of
from core.events import Message
from core.rich import Rich

HELD = 20  # messages kept while a remote call runs


def on_message(walk: Walk, message: Message) -> None:
    """Join pieces, then listen. A message of a session that people own is theirs."""
    first = walk.talk.messages == 0
    walk.talk.messages += 1
    code = code_in(walk, message)
    if code:
        take_code(walk, code)
        return
    if walk.mute and asks_for_code(walk.book, message):
        ask_code(walk)
        return
    if walk.mute:
        walk.talk.memory.pop("pieces", None)
        walk.note("owner", owner=walk.conversation.session.owner)
        return
    flush_before(walk, message)
    seconds = pause_for(walk, message)
    if seconds and len(kept_pieces(walk)) < 50 and not system_word(walk, said(message)):
        hold_piece(walk, message, seconds)
        if first:
            walk.talk.memory["first_piece"] = 1
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
    first = bool(walk.talk.memory.pop("first_piece", 0))
    if whole is not None and not walk.mute:
        listen(walk, whole, first)


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
        if is_lobby(walk) and heard.text:  # said to a menu it is what nobody caught: the admin looks for such words
            uncaught(walk, heard)
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
    if field is None:
        return Rich(walk.t("Please choose one of the options."))
    return Rich(walk.t("I could not read that as an answer."))
