"""The checks of the way to the integrator, in their order: whom it trusts, what it repeats, what it shows, how it refuses."""

from __future__ import annotations

import asyncio
import time

import msgspec

from adapters.api import schema
from adapters.api.conformance.player import LONGEST_WAIT, Answer, Player, done, refused, shown
from adapters.api.signing import SIGNATURE_HEADER, TOLERANCE, Signer
from adapters.verdict import Check, Failed, Skipped
from core.locale import n_

STALE = TOLERANCE + 60.0
BURST = 30
SLOW_SECONDS = 5.0
ODD = "👨‍👩‍👧‍👦 e\u0301 שלום مرحبا \U00020bb7 🏴󠁧󠁢󠁳󠁣󠁴󠁿 <b>&amp;</b> {{x}} %s \\n"
VERIFY = n_(
    "check `webhook-signature` over `<webhook-id>.<webhook-timestamp>.<raw body>`, before the body is parsed, and answer 401"
)
KEYS = n_("remember each `webhook-id` with its answer, before you show the message, and answer the same again")
NO_CRASH = n_("answer 400 or 422 with the reason; 5xx is for trouble that passes by itself")


# --- whom it trusts --------------------------------------------------------------------------------------------------


async def takes_a_message(play: Player) -> None:
    shown(await play.call(play.message("frontline: проверка · a test")))


async def refuses_unsigned(play: Player) -> None:
    call = play.message("unsigned")
    refused(await play.post(msgspec.json.encode(call), call.key, headers={}), VERIFY)


async def refuses_a_wrong_signature(play: Player) -> None:
    call = play.message("wrong signature")
    body = msgspec.json.encode(call)
    headers = Signer([b"not the secret of anybody here!!"]).headers(call.key, time.time(), body)
    refused(await play.post(body, call.key, headers), VERIFY)


async def refuses_a_changed_body(play: Player) -> None:
    call = play.message("changed body")
    headers = play.signer.headers(call.key, time.time(), msgspec.json.encode(call))
    other = msgspec.json.encode(msgspec.structs.replace(call, text="changed bodY"))
    refused(await play.post(other, call.key, headers), VERIFY)


async def refuses_a_changed_id(play: Player) -> None:
    call = play.message("changed id")
    body = msgspec.json.encode(call)
    headers = play.signer.headers(call.key, time.time(), body) | {"webhook-id": play.key()}
    refused(await play.post(body, call.key, headers), VERIFY)


async def refuses_the_past_and_the_future(play: Player) -> None:
    mend = n_(
        "answer 401 when `webhook-timestamp` is more than five minutes away: an old call in other hands is a replay"
    )
    for away in (-STALE, STALE):
        call = play.message("replay")
        refused(await play.post(msgspec.json.encode(call), call.key, away=away), mend)


async def takes_one_of_two_signatures(play: Player) -> None:
    call = play.message("two signatures")
    body = msgspec.json.encode(call)
    headers = play.signer.headers(call.key, time.time(), body)
    headers[SIGNATURE_HEADER] = "v1,bm90IHRoaXMgb25lLCBidXQgdGhlIG5leHQgb25lISE= " + headers[SIGNATURE_HEADER]
    answer = await play.post(body, call.key, headers)
    if not answer.ok:
        raise Failed(
            n_("the second of two signatures fits, and the answer is {status}"),
            n_("take a call when one of the signatures, parted by spaces, fits: so a secret can be changed"),
            status=answer.status,
        )


# --- what it repeats -------------------------------------------------------------------------------------------------


async def shows_a_repeat_once(play: Player) -> None:
    call = play.message("this must be shown once · это видно один раз")
    first = shown(await play.call(call))
    shown(await play.call(play.message("between")))
    for _ in range(2):
        _same(first, await play.call(call))


async def shows_calls_at_once_once(play: Player) -> None:
    call = play.message("twice at once, shown once · дважды сразу, видно один раз")
    answers = await asyncio.gather(play.call(call), play.call(call))
    first = next((answer for answer in answers if answer.ok), answers[0])
    for answer in answers:
        _same(shown(first), answer)


def _same(first: str, answer: Answer) -> None:
    """A repeat is answered as the first time, or by 409."""
    if answer.status == 409:
        return
    if (id := shown(answer)) != first:
        raise Failed(n_("the same call again made another message: {first}, then {id}"), KEYS, first=first, id=id)


async def names_each_message(play: Player) -> None:
    ids = [shown(await play.call(play.message(f"{n} / 5"))) for n in range(1, 6)]
    if len(set(ids)) < len(ids):
        raise Failed(
            n_("different messages have the same `message_id`"),
            n_("give each message an id of its own: edits and deletions need it"),
        )


# --- what it shows ---------------------------------------------------------------------------------------------------


async def takes_marks(play: Player) -> None:
    text = "🙂 bold, code, link"
    marks = (schema.Mark("bold", 2, 6), schema.Mark("code", 8, 12), schema.Mark("link", 14, 18, "https://example.org"))
    shown(await play.call(play.message(text, marks=marks)))


async def takes_buttons(play: Player) -> None:
    rows = (
        (schema.Button("Да · Yes", "1.0.0"), schema.Button("Нет · No", "1.0.1")),
        (schema.Button("example.org", url="https://example.org"),),
    )
    shown(await play.call(play.message("?", buttons=rows)))


async def takes_a_quote(play: Player) -> None:
    first = shown(await play.call(play.message("question")))
    shown(await play.call(play.message("answer", quote=schema.Quote(first, "question"))))
    shown(await play.call(play.message("answer", quote=schema.Quote("no-such-message", "?"))))


async def takes_a_long_text(play: Player) -> None:
    text = ("слово word " * (play.limit // 11 + 1))[: play.limit - 1] + "."
    answer = await play.call(play.message(text))
    if answer.status and not answer.ok:
        raise Failed(
            n_("a text of {limit} characters is answered by {status}"),
            n_("take it, or declare a smaller `text_limit` and give it here as --text-limit"),
            limit=play.limit,
            status=answer.status,
        )
    shown(answer)


async def takes_odd_text(play: Player) -> None:
    for text in (ODD, "\u202eabc", "\n\nx\n", "a" * 500):
        answer = await play.call(play.message(text))
        if answer.status and not answer.ok:
            raise Failed(
                n_("a text with unusual symbols is answered by {status}"),
                n_("take any Unicode text as UTF-8; count characters as code points, and never read markup out of it"),
                status=answer.status,
            )
        shown(answer)


async def changes_a_message(play: Player) -> None:
    id = shown(await play.call(play.message("place 3")))
    done(await play.call(schema.Edit(key=play.key(), chat=play.chat, message_id=id, text="place 2")))


async def knows_what_is_not_there(play: Player) -> None:
    mend = n_("answer 404 with {example}: then it is sent anew; 410 would mean that the client cannot be reached")
    answer = await play.call(schema.Edit(key=play.key(), chat=play.chat, message_id="no-such-message", text="x"))
    if answer.ok:
        return  # shown anew, or let be: nobody waits
    _gone(answer, mend)


async def deletes_a_message(play: Player) -> None:
    mend = n_("answer 200, or 404 with {example}, when the message is gone already")
    id = shown(await play.call(play.message("to be deleted")))
    done(await play.call(schema.Delete(key=play.key(), chat=play.chat, message_id=id)))
    again = await play.call(schema.Delete(key=play.key(), chat=play.chat, message_id=id))
    if not again.ok:
        _gone(again, mend)


def _gone(answer: Answer, mend: str) -> None:
    code = answer.said.get("code") if isinstance(answer.said, dict) else None
    if answer.status != 404 or code != "message_not_found":
        raise Failed(
            n_("a message that is not there is answered by {status}"),
            mend,
            status=answer.status or answer.trouble,
            example='{"code": "message_not_found"}',
        )


async def shows_typing(play: Player) -> None:
    done(await play.call(schema.Typing(key=play.key(), chat=play.chat)))


async def takes_the_menu(play: Player) -> None:
    done(await play.call(schema.Menu(key=play.key(), commands=(schema.Command("start", "Начать · Start"),))))


# --- how it refuses --------------------------------------------------------------------------------------------------


async def refuses_junk(play: Player) -> None:
    for body in (b"{", b"", b"[]", b"\xff\xfe"):
        refused(await play.post(body, play.key()), NO_CRASH)


async def survives_unknown_calls(play: Player) -> None:
    answer = await play.raw({"type": "of_next_year", "key": play.key(), "chat": play.chat})
    if not answer.ok:
        refused(answer, NO_CRASH)


async def leaves_unknown_fields_alone(play: Player) -> None:
    call = {"type": "send", "key": play.key(), "chat": play.chat, "text": "x", "of_next_year": {"a": [1]}}
    answer = await play.raw(call)
    if not answer.ok:
        raise Failed(
            n_("a field that is new to you is answered by {status}"),
            n_("leave fields alone that you do not know: newer versions of frontline may bring some"),
            status=answer.status,
        )


async def says_how_long_to_wait(play: Player) -> None:
    """Many at once: all are taken, or some ask to come later and are taken then."""
    calls = [play.message(f"burst {n}") for n in range(BURST)]
    answers = await asyncio.gather(*(play.call(call, patient=False) for call in calls))
    late = [(call, answer) for call, answer in zip(calls, answers, strict=True) if answer.status in {429, 503}]
    for answer in answers:
        if answer.status not in {429, 503}:
            shown(answer)
    if any(not answer.after for _, answer in late):
        raise Failed(
            n_("too many calls are answered by 429, without `Retry-After`"),
            n_("add `Retry-After` in whole seconds: we wait so long, no less and not much more"),
        )
    if late:
        await asyncio.sleep(min(max(answer.after for _, answer in late), LONGEST_WAIT))
        for call, _ in late:
            shown(await play.call(call))


async def answers_in_time(play: Player) -> None:
    if play.slowest > SLOW_SECONDS:
        raise Failed(
            n_("the slowest answer took {seconds} s"),
            n_("answer within {most} s: a chat waits for its answer before the next message goes"),
            seconds=f"{play.slowest:.1f}",
            most=f"{SLOW_SECONDS:g}",
        )
    if not play.slowest:
        raise Skipped(n_("there was no answer at all"))


CHECKS = (
    Check("send", n_("A message is taken and named"), takes_a_message),
    Check("signature.missing", n_("A call without a signature is refused"), refuses_unsigned),
    Check("signature.wrong", n_("A call signed with another secret is refused"), refuses_a_wrong_signature),
    Check("signature.body", n_("A signature does not fit another body"), refuses_a_changed_body),
    Check("signature.id", n_("A signature does not fit another webhook-id"), refuses_a_changed_id),
    Check("signature.time", n_("A call from the past or the future is refused"), refuses_the_past_and_the_future),
    Check("signature.two", n_("One of two signatures is enough"), takes_one_of_two_signatures),
    Check("repeat", n_("The same call again is shown once"), shows_a_repeat_once),
    Check("repeat.at_once", n_("The same call twice at once is shown once"), shows_calls_at_once_once),
    Check("order", n_("Messages go one after another, each with an id of its own"), names_each_message),
    Check("marks", n_("Formatting is taken"), takes_marks),
    Check("buttons", n_("Buttons are taken"), takes_buttons, "buttons"),
    Check("quote", n_("A quote is taken, of an unknown message, too"), takes_a_quote, "quotes"),
    Check("text.long", n_("The longest text is taken"), takes_a_long_text),
    Check("text.odd", n_("Unusual symbols are taken"), takes_odd_text),
    Check("edit", n_("A message is changed"), changes_a_message, "edit"),
    Check("edit.unknown", n_("A change of an unknown message is answered so"), knows_what_is_not_there, "edit"),
    Check("delete", n_("A message is taken away, and once more"), deletes_a_message, "delete"),
    Check("typing", n_("“typing…” is taken"), shows_typing, "typing"),
    Check("menu", n_("The menu is taken"), takes_the_menu, "menu"),
    Check("junk", n_("What is not JSON is refused, without a crash"), refuses_junk),
    Check("unknown.call", n_("An unknown call does no harm"), survives_unknown_calls),
    Check("unknown.field", n_("An unknown field is left alone"), leaves_unknown_fields_alone),
    Check("pressure", n_("Many calls at once are taken, or told when to come again"), says_how_long_to_wait),
    Check("time", n_("Answers come in time"), answers_in_time),
)
