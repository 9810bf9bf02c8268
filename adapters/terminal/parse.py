"""Outside → ours: what a person typed, as an event or as a wish to the terminal itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.events import Event, Message, Opened, Press
from core.locale import Texts
from core.messages import Attachment, AttachmentKind, Button, Contact, Location
from core.normal import clean, normal

DURATION = re.compile(r"(\d+)\s*(s|m|h|d)")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
MOST_PHOTOS = 10


@dataclass(frozen=True)
class Wait:
    """Let so many seconds pass."""

    seconds: float


@dataclass(frozen=True)
class Told:
    """Something to say to the person at the keyboard; nothing reaches the bot."""

    text: str


@dataclass(frozen=True)
class Quit:
    """The talk is over."""


Typed = Event | Wait | Told | Quit
Parser = Callable[[str, Sequence[Button], Texts], Typed]


def parse_line(line: str, buttons: Sequence[Button], t: Texts, older: Sequence[Button] = ()) -> Typed:
    """What a typed line means. `buttons` are those of the last message that had some, `older` all that were shown."""
    line = clean(line).strip()
    word, _, rest = line.partition(" ")
    if word == "/press" and rest.strip() and not rest.strip().isdigit():
        return _press_label(rest, (*older, *buttons), t)
    own = COMMANDS.get(word)
    if own is not None:
        return own(rest.strip(), buttons, t)
    if line.startswith("/") and re.fullmatch(r"/\w+", word):
        return Message(text=line, command=word)
    return Message(text=line)


def _press(rest: str, buttons: Sequence[Button], t: Texts) -> Typed:
    if not rest.isdigit() or not 1 <= int(rest) <= len(buttons):
        return Told(t.plural("There is {n} button: /press 1", "There are {n} buttons: /press 1 … {n}", len(buttons)))
    return _pressed(buttons[int(rest) - 1], t)


def _press_label(label: str, shown: Sequence[Button], t: Texts) -> Typed:
    """The latest button of this label: an old one may be pressed, as in a messenger."""
    found = next((button for button in reversed(shown) if normal(button.label) == normal(label)), None)
    return _pressed(found, t) if found else Told(t("There has been no button «{label}».", label=label.strip()))


def _pressed(button: Button, t: Texts) -> Typed:
    if button.url or button.ask:
        return Told(t("This button opens something in a messenger; nothing happens here."))
    return Press(token=button.token, label=button.label)


def _wait(rest: str, _: Sequence[Button], t: Texts) -> Typed:
    found = DURATION.fullmatch(rest)
    return Wait(int(found[1]) * SECONDS[found[2]]) if found else Told(t("Write how long: /wait 20m"))


def _photo(rest: str, _: Sequence[Button], t: Texts) -> Typed:
    if rest and not rest.isdigit():
        return _attach("photo", rest, t)
    count = min(int(rest or 1), MOST_PHOTOS)
    photos = tuple(
        Attachment("photo", ref=f"sample:{n}", name=f"photo-{n + 1}.png", mime="image/png", size=len(SAMPLE))
        for n in range(count)
    )
    return Message(attachments=photos)


def _file(rest: str, _: Sequence[Button], t: Texts) -> Typed:
    return _attach("file", rest, t)


def _attach(kind: AttachmentKind, name: str, t: Texts) -> Typed:
    path = Path(name).expanduser()
    if not name or not path.is_file():
        return Told(t("There is no file {file}.", file=name or "?"))
    mime = "image/jpeg" if kind == "photo" else "application/octet-stream"
    return Message(attachments=(Attachment(kind, ref=str(path), name=path.name, mime=mime, size=path.stat().st_size),))


def _contact(rest: str, _: Sequence[Button], t: Texts) -> Typed:
    return Message(contact=Contact(phone=rest, own=True)) if rest else Told(t("Write the phone: /contact +79991234567"))


def _location(rest: str, _: Sequence[Button], t: Texts) -> Typed:
    return Message(location=Location(55.7558, 37.6173, rest))


def _start(rest: str, _: Sequence[Button], t: Texts) -> Typed:
    return Opened(link=rest)


def _help(rest: str, _: Sequence[Button], t: Texts) -> Typed:
    return Told(
        t(
            "/press N presses a button, /press LABEL an older one too · /wait 20m lets time pass · "
            "/photo [N] sends photos · /file PATH · /contact PHONE · /location ADDRESS · /start [LINK] · /quit"
        )
    )


def _quit(rest: str, _: Sequence[Button], t: Texts) -> Typed:
    return Quit()


COMMANDS: dict[str, Parser] = {
    "/press": _press,
    "/wait": _wait,
    "/photo": _photo,
    "/file": _file,
    "/contact": _contact,
    "/location": _location,
    "/start": _start,
    "/help": _help,
    "/quit": _quit,
    "/exit": _quit,
}
# A picture of one point, for those who try a dialogue without one at hand.
SAMPLE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc33"
    "0000000049454e44ae426082"
)
