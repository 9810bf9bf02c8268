"""What the human side says to a client by itself: in the queue, leaving it, the end of a talk."""

from __future__ import annotations

from datetime import datetime

from core.conversation import Session
from core.effects import Author, Send
from core.locale import texts
from core.messages import Button, Outgoing
from core.rich import plain
from core.turn import LineFacts
from handoff.lines import House

RATE_BUTTON = "q.rate."
QUEUE_SLOT = "queue"  # the message that tells of the queue, edited rather than repeated


def notice(text: str, author: Author = "notice", operator: str = "") -> Send:
    """A message that is sent whoever owns the session by then."""
    return Send(Outgoing(plain(text)), author, operator)


def queued(house: House, title: str) -> Send:
    """The client is in the queue, and knows the way out when there is a word for it."""
    t = texts(house.language)
    said = t(
        "You are in the queue of the line “{line}”: an operator will answer right here. "
        "You may add details in the meantime.",
        line=title,
    )
    return Send(Outgoing(plain(said + _way_out(house))), "notice", slot=QUEUE_SLOT)


def position(house: House, title: str, place: int, low: int, high: int) -> Send:
    """Where the client stands in the queue, and how many minutes others waited lately (`high` 0: not known)."""
    t = texts(house.language)
    said = t("You are in the queue of the line “{line}”, number {place}.", line=title, place=place)
    if high:
        told = t("Others waited from {low} to {high} minutes lately.", low=low, high=high)
        said += " " + (told if low else t("Others waited up to {high} minutes lately.", high=high))
    said += " " + t("An operator will answer right here.")
    return Send(Outgoing(plain(said + _way_out(house))), "notice", slot=QUEUE_SLOT, replace=True)


def _way_out(house: House) -> str:
    words = house.words.get("cancel", ())
    t = texts(house.language)
    return " " + t("To leave the queue, write “{word}”.", word=words[0]) if words else ""


def failed(house: House, line: LineFacts, now: datetime) -> Send:
    """Something broke on our side: people will look at it, now or when the line opens."""
    t = texts(house.language)
    said = t(
        "Something went wrong on our side. Your message is not lost: I have passed it to the line “{line}”.",
        line=line.title,
    )
    if not line.open and line.opens_at is not None:
        opening = render_opening(line.opens_at, now)
        said += " " + t("The line opens {when}, an operator will answer right here.", when=opening)
    return Send(Outgoing(plain(said)), "notice", slot=QUEUE_SLOT)


def render_opening(at: datetime, now: datetime) -> str:
    """A moment in its own zone: the hour when it is today, else with the day."""
    today = now.astimezone(at.tzinfo).date()
    return f"{at:%H:%M}" if at.date() == today else f"{at:%d.%m, %H:%M}"


def leave_question(house: House, session: Session) -> Send:
    """«Выйти из очереди?» with two buttons of the handoff's own namespace."""
    t = texts(house.language)
    row = (Button(t("Yes"), leave_token(session, "y")), Button(t("No"), leave_token(session, "n")))
    return Send(Outgoing(plain(t("Leave the queue?")), (row,)), "notice")


def leave_token(session: Session, answer: str) -> str:
    """The token of an answer: `q.<session>.y` or `.n`; a later queueing of the same session shares it."""
    return f"q.{session.number}.{answer}"


def transferred(house: House, title: str) -> Send:
    """People have passed the client on."""
    t = texts(house.language)
    said = t("I have passed you to the line “{line}”: an operator will answer right here.", line=title)
    return Send(Outgoing(plain(said)), "notice", slot=QUEUE_SLOT)


def way_back(house: House) -> str:
    """The talk is over, and how to come back."""
    t = texts(house.language)
    return t("The conversation is over. Write here any time, and we will go on.")


def still_there(house: House) -> Send:
    """The client owes an answer."""
    t = texts(house.language)
    return notice(t("Are you still here? If there is no answer, we will end the conversation."))


def given_up(house: House) -> str:
    """The client has not answered."""
    t = texts(house.language)
    return t("We have not heard from you, so the conversation is over. Write here any time, and we will go on.")


def rating_question(house: House, session: Session) -> Send:
    """Five buttons; where there are none, their numbers are typed."""
    t = texts(house.language)
    row = tuple(Button(str(n), f"{RATE_BUTTON}{session.number}.{n}") for n in range(1, 6))
    return Send(Outgoing(plain(t("How did we do? Choose from 1 (bad) to 5 (very well).")), (row,)), "notice")


def thanks(house: House) -> Send:
    """A rating has come."""
    t = texts(house.language)
    return notice(t("Thank you for the rating!"))
