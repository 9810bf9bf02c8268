"""Desks of the configuration: their statuses, and what a new ticket gets from them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.conversation import Conversation, Session
from core.effects import CreateTicket, Record
from core.locale import texts
from gateway.config import read_config
from gateway.config.model import Config
from gateway.deployment import build_house
from gateway.desks import Opening, build_desks

CONFIG = """\
storage: {url: "sqlite:///a.db", files: files}
channels: {telegram: {kind: telegram, token: "42:x", line: support}}
lines:
  support: {title: П, hours: {mon-fri: "09:00-18:00"}, closed: {ticket: plain}, busy: {ticket: plain}}
  night: {title: Н, hours: {mon-sun: "00:00-24:00"}, closed: {ticket: plain}, busy: {ticket: plain}}
desks:
  plain: {title: Общие}
  own:
    title: Возвраты
    resolve: 8h
    statuses: {wait: {title: ждём, means: waiting}, got: {title: принята}, seen: {title: смотрим}, over: {title: всё, done: true}}
  quick: {title: Срочные, resolve: 8h, line: night}
  outer:
    {title: Снаружи, kind: webhook, url: "https://desk.example.org/in", secret: s,
     statuses: {closed: {title: решена, means: done}}}
"""
FRIDAY = datetime(2026, 7, 3, 12, 0, tzinfo=UTC)  # 15:00 in Moscow: three hours are left of the day


def read(text: str = CONFIG) -> Config:
    config, findings = read_config(text, Path("/x/config.yaml"), {})
    assert config is not None, [it.line("en") for it in findings]
    return config


def test_a_desk_without_statuses_has_the_usual_ones() -> None:
    desk = build_desks(read())["plain"]
    t = texts("ru")
    assert [(it.word, it.title, it.means) for it in desk.statuses] == [
        ("new", t("new"), "open"),
        ("open", t("in work"), "open"),
        ("waiting", t("waiting for you"), "waiting"),
        ("done", t("solved"), "done"),
    ]
    assert (desk.first.word, desk.again.word) == ("new", "open")


def test_the_first_open_status_begins_and_the_second_begins_again() -> None:
    desk = build_desks(read())["own"]
    assert (desk.first.word, desk.again.word) == ("got", "seen")
    assert desk.status("over").means == "done"
    assert desk.status("всё").word == "over", "as an older version stored it"


def test_an_outer_desk_takes_words_as_they_come() -> None:
    desk = build_desks(read())["outer"]
    assert desk.first.word == "new"
    assert (desk.status("closed").title, desk.status("closed").means) == ("решена", "done")
    assert (desk.status("В пути").title, desk.status("В пути").means) == ("В пути", "open")
    assert desk.status("archived", done=True).means == "done"


@pytest.mark.parametrize("statuses", ["{a: {title: А}}", "{a: {title: А, means: done}}"])
def test_tickets_of_a_desk_must_begin_and_end(statuses: str) -> None:
    config, findings = read_config(
        CONFIG.replace("plain: {title: Общие}", f"plain: {{title: Общие, statuses: {statuses}}}"), Path("/x/c.yaml"), {}
    )
    assert config is None
    assert [it.at.line for it in findings] == [7]
    assert "means open" in findings[0].line("en")


@pytest.mark.parametrize(
    ("desk", "due"),
    [
        ("plain", None),
        ("own", datetime(2026, 7, 6, 11, 0, tzinfo=UTC)),  # five hours of Monday, from 9 in Moscow
        ("quick", datetime(2026, 7, 3, 20, 0, tzinfo=UTC)),
    ],
)
def test_a_new_ticket_gets_status_line_and_deadline(desk: str, due: datetime | None) -> None:
    config = read()
    house = build_house(config, {})
    opening = Opening(build_desks(config), lambda: house, {"telegram": "support"})
    home = Conversation(1, "telegram", "42", "1", 1, session=Session(number=1))
    record, made = opening.complete((Record("x"), CreateTicket("k", 1, desk, "T")), home, FRIDAY)
    assert record == Record("x")
    assert isinstance(made, CreateTicket)
    assert (made.line, made.deadline) == ("support", due.timestamp() if due else 0.0)
    assert made.status == ("got" if desk == "own" else "new")
    by_hand = CreateTicket("k", 1, desk, "T", deadline=5.0, line="night")
    (kept,) = opening.complete((by_hand,), home, FRIDAY)
    assert isinstance(kept, CreateTicket)
    assert (kept.line, kept.deadline) == ("night", 5.0)


def test_turns_without_tickets_stay_the_very_same() -> None:
    effects = (Record("x"), Record("y"))
    opening = Opening({}, lambda: build_house(read(), {}), {})
    assert opening.complete(effects, Conversation(1, "t", "a", "1", 1), FRIDAY) is effects
