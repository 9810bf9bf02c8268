"""The terminal: what a typed line means, and how a message looks."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.terminal.channel import Terminal
from adapters.terminal.parse import SAMPLE, Quit, Told, Wait, parse_line
from adapters.terminal.render import buttons_of, render_message
from core.events import Message, Opened, Press
from core.locale import texts
from core.messages import Button, Outgoing, Quote
from core.outbox import OutboxRow
from core.rich import Mark, Rich

t = texts("en")
BUTTONS = (Button("Да", "1.2.0"), Button("Сайт", url="https://a.example"), Button("Телефон", ask="contact"))


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("привет", Message(text="привет")),
        ("  при\u202eвет\x07 ", Message(text="привет")),
        ("/status 5", Message(text="/status 5", command="/status")),
        ("/not-a-command", Message(text="/not-a-command")),
        ("/press 1", Press("1.2.0", "Да")),
        ("/wait 20m", Wait(1200)),
        ("/wait 1 d", Wait(86400)),
        ("/start возврат-qr", Opened(link="возврат-qr")),
        ("/start", Opened()),
        ("/quit", Quit()),
    ],
)
def test_lines(line: str, meant: object) -> None:
    assert parse_line(line, BUTTONS, t) == meant


@pytest.mark.parametrize(
    "line",
    [
        "/press 0",
        "/press 4",
        "/press x",
        "/press",
        "/press 2",
        "/press 3",
        "/wait",
        "/file",
        "/photo no.png",
        "/contact",
    ],
)
def test_what_cannot_be_done_is_told(line: str) -> None:
    assert isinstance(parse_line(line, BUTTONS, t), Told)


def test_what_is_answered_stands_in_front() -> None:
    message = Outgoing(Rich("Едет"), quote=Quote("5", "Где заказ?"))
    assert render_message(message, t, colour=False) == "«Где заказ?»\nЕдет"


def test_files(tmp_path: Path) -> None:
    photos = parse_line("/photo 2", (), t)
    assert isinstance(photos, Message)
    assert [one.kind for one in photos.attachments] == ["photo", "photo"]
    (tmp_path / "a.pdf").write_bytes(b"12345")
    file = parse_line(f"/file {tmp_path}/a.pdf", (), t)
    assert isinstance(file, Message)
    assert [(one.kind, one.name, one.size) for one in file.attachments] == [("file", "a.pdf", 5)]
    contact = parse_line("/contact +79991234567", (), t)
    assert isinstance(contact, Message)
    assert contact.contact is not None
    assert contact.contact.own


def test_a_message_with_buttons() -> None:
    body = Rich("Жирный и ссылка", (Mark("bold", 0, 6), Mark("link", 9, 15, "https://b.example")))
    message = Outgoing(body, rows=(BUTTONS[:2], BUTTONS[2:]), files=("f1", "f2"))
    plain = render_message(message, t, colour=False)
    assert plain.splitlines() == [
        "Жирный и ссылка (https://b.example)",
        "  (2 files)",
        "  [1] Да",
        "  [2] Сайт: https://a.example",
        "  [3] Телефон  (/contact +79991234567)",
    ]
    assert render_message(message, t, colour=True).startswith("\x1b[1mЖирный\x1b[0m и ")
    assert buttons_of(message) == list(BUTTONS)


def test_text_for_the_terminal() -> None:
    message = Outgoing(Rich("для всех"), per_channel={"terminal": Rich("для терминала")})
    assert render_message(message, t, colour=False) == "для терминала"


async def test_the_channel_shows_and_fetches(tmp_path: Path) -> None:
    shown: list[tuple[str, bool]] = []
    channel = Terminal("terminal", {"show": lambda message, replaces: shown.append((message.body.text, replaces))})
    for kind in ("send", "edit"):
        row = OutboxRow(1, 1, kind, "terminal", "terminal", "k", "key", message=Outgoing(Rich("привет")))
        assert (await channel.send(row)).verdict == "sent"
    assert shown == [("привет", False), ("привет", True)]
    assert await channel.fetch("sample:0", 100) == (SAMPLE, "image/png")
    with pytest.raises(ValueError):
        await channel.fetch(str(tmp_path / "absent"), 100)
    with pytest.raises(ValueError):
        await channel.fetch(__file__, 10)
