"""A message as triggers and fields read it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.heard import heard
from core.events import Message
from core.messages import Attachment, Contact, Location


def test_text_is_plain() -> None:
    made = heard(Message(text=" \u202eВерните\x00 ЗАКАЗ,\r\nпожалуйста…\ufeff "))
    assert made.text == "Верните ЗАКАЗ,\nпожалуйста…"
    assert made.normal == "верните заказ, пожалуйста"
    assert made.words == ["верните", "заказ", "пожалуйста"]
    assert made.words is made.words


def test_only_64_words_count() -> None:
    assert len(heard(Message(text="слово " * 1000)).words) == 64


def test_parts() -> None:
    photo = Attachment("photo", "f1")
    made = heard(Message(attachments=(photo,), contact=Contact("+7"), location=Location(1.0, 2.0)))
    assert (made.text, made.normal, made.words) == ("", "", [])
    assert made.attachments == (photo,)
    assert made.contact == Contact("+7")
    assert made.location == Location(1.0, 2.0)


def test_half_of_a_pair_becomes_a_question_mark() -> None:
    assert heard(Message(text="а\ud800")).text == "а?"


@given(st.text())
def test_any_text_can_be_written_and_split(text: str) -> None:
    made = heard(Message(text=text))
    made.text.encode()
    assert len(made.words) <= 64
    assert made.normal == made.normal.strip()
