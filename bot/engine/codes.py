"""One-time codes in the dialogue: a client asks for one here, and sends it in another channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.fields import Accepted, kind_of
from bot.heard import heard
from core.codes import digest_code, read_code, read_link, show_code
from core.effects import Call
from core.events import CallDone, Event, Message, Opened
from core.messages import Button
from core.normal import normal
from core.rich import Rich

if TYPE_CHECKING:
    from bot.book import Book
    from bot.engine.ground import Ground
    from bot.engine.walk import Walk

SERVICE = "identity"  # built in: who is who. Flows cannot name it
OFFER, USE, MATCH = "offer", "use", "match"
_OFFERED, _USED = "code:", "join:"  # keys of the two calls begin so
WORD = "continue"


def concerns_codes(book: Book, event: Event) -> bool:
    """Whether an event is about codes, whoever owns the session."""
    if isinstance(event, Opened):
        return bool(read_link(event.link))
    if isinstance(event, Message):
        return bool(read_code(event.text.strip())) or asks_for_code(book, event)
    return False


def asks_for_code(book: Book, message: Message) -> bool:
    """Whether the whole message is the system word `continue`."""
    return book.words.get(message.command or normal(message.text)) == WORD


def ask_code(walk: Ground) -> None:
    """Have a code made for this conversation. Its answer is `show_offer`, also while people own the session."""
    home = walk.conversation.id
    walk.note("code_asked")
    walk.effects.append(Call(f"{_OFFERED}{home}:{walk.serial('codes')}", SERVICE, OFFER, {"conversation": home}))


def take_code(walk: Walk, code: str) -> None:
    """Try a code that came into this conversation. What it does is decided where all conversations are known."""
    home = walk.conversation.id
    walk.note("code_used")
    params = {"conversation": home, "digest": digest_code(code)}
    walk.effects.append(Call(f"{_USED}{home}:{walk.serial('codes')}", SERVICE, USE, params))


def code_in(walk: Walk, message: Message) -> str:
    """The code that a message is; empty when it is none, or an answer to the strict question that waits."""
    code = "" if message.attachments else read_code(message.text.strip())
    return "" if code and _is_answer(walk, message) else code


def _is_answer(walk: Walk, message: Message) -> bool:
    run = walk.talk.run
    if (
        walk.mute
        or run is None
        or not run.question
        or (run.frames[-1].flow, run.frames[-1].version) not in walk.book.versions
    ):
        return False
    field = walk.node.field
    if field is None or not kind_of(field).strict(field):
        return False
    return isinstance(kind_of(field).parse(field, heard(message), walk.now, walk.t), Accepted)


# --- what came of it -------------------------------------------------------------------------------------------------


def answers_code(event: Event) -> bool:
    """Whether a call of ours has come back."""
    return isinstance(event, CallDone) and event.key.startswith((_OFFERED, _USED))


def on_code_answer(walk: Walk, event: CallDone) -> bool:
    """Tell the client; whether nothing more will come of it."""
    if event.key.startswith(_OFFERED):
        show_offer(walk, event)
        return False
    if event.status == "ok":  # the other conversation says what goes on here
        return False
    walk.record("code_refused", why=str(event.take.get("why", "failed")))
    walk.say(Rich(refusal(walk, str(event.take.get("why", "")))), notice=True)
    return True


def show_offer(walk: Walk, event: CallDone) -> None:
    """The code and the ways to bring it: links of channels that have them, typing it anywhere."""
    if event.status != "ok":
        walk.say(Rich(walk.t("A code could not be made now. Please try again a little later.")), notice=True)
        return
    known = walk.book.deployment.channels
    rows = tuple(
        (
            Button(
                _cut(walk.t("Continue in {title}", title=title_of(walk, str(name))), known[name].button_limit), url=url
            ),
        )
        for name, url in event.take.get("links", ())
        if name in known
    )
    walk.say(
        Rich(
            walk.t(
                "Your code: {code}\nOpen another messenger and send it to us there. It works once, for ten minutes. "
                "Give it to nobody: whoever sends it continues in your name.",
                code=show_code(str(event.take["code"])),
            )
        ),
        rows,
        notice=True,
    )


def refusal(walk: Walk, why: str) -> str:
    """Why a code did nothing, for the client."""
    if why == "unknown":
        return walk.t("There is no such code. Please check it, or ask for a new one.")
    if why == "used":
        return walk.t("This code has been used already. Please ask for a new one.")
    if why == "expired":
        return walk.t("This code is older than ten minutes. Please ask for a new one.")
    if why == "same":
        return walk.t("This code is meant for another messenger: please send it to us there.")
    if why == "too_many":
        return walk.t("Too many wrong codes. Please wait ten minutes and ask for a new one.")
    return walk.t("The code could not be checked now. Please send it once more.")


def title_of(walk: Ground, channel: str) -> str:
    """What clients call a channel."""
    known = walk.book.deployment.channels.get(channel)
    return (known.title or known.kind) if known is not None else channel


def _cut(label: str, limit: int) -> str:
    return label if len(label) <= limit else label[: limit - 1] + "…"
