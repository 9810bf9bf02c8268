"""Field types: what each accepts and stores, what it refuses and why, how it shows."""

from __future__ import annotations

import time as clock
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.fields import FIELDS, Accepted, Unclear, Wrong, field_kind, kind_of
from bot.fields.inn import is_inn
from bot.fields.phone import render_phone
from bot.heard import Heard
from bot.model import Field
from core.locale import texts
from core.messages import Attachment, Button, Contact, Location
from tests.bot.leaves.make import NOW, field, options, parse, pattern, rule

EN = texts("en")
MB = 1024 * 1024


def accepted(made: Field, *cases: tuple[str, Any]) -> None:
    for text, value in cases:
        assert parse(made, text) == Accepted(value), text


def refused(made: Field, *cases: str) -> None:
    for text in cases:
        assert isinstance(parse(made, text), Wrong), text


def asked(made: Field, text: str, *values: Any, language: str = "ru") -> None:
    answer = parse(made, text, language)
    assert isinstance(answer, Unclear), text
    assert tuple(value for _, value in answer.options) == values
    assert all(label for label, _ in answer.options)
    assert answer.question


def reason(made: Field, text: str, **parts: Any) -> str:
    answer = parse(made, text, "en", **parts)
    assert isinstance(answer, Wrong)
    return answer.reason


def test_registry() -> None:
    assert [kind.type for kind in FIELDS] == [
        "text", "number", "money", "yes_no", "choice", "many", "date", "time", "phone", "email", "inn", "photo", "file",
        "location", "contact", "rating",
    ]  # fmt: skip
    assert field_kind("inn") is kind_of(field("inn"))
    assert field_kind("нет") is None


def test_all_but_plain_text_are_strict() -> None:
    assert not kind_of(field("text")).strict(field("text"))
    assert kind_of(field("text")).strict(field("text", pattern=pattern(r"\d")))
    assert all(kind.strict(field(kind.type)) for kind in FIELDS if kind.type != "text")


def test_no_text_is_nothing_for_any_type() -> None:
    assert all(parse(field(kind.type, options=options("a")), "") is None for kind in FIELDS)


def test_text() -> None:
    accepted(field("text"), ("что угодно", "что угодно"), ("**a**", "**a**"))
    long = field("text", min=3, max=5)
    accepted(long, ("три", "три"), ("пятер", "пятер"))
    accepted(long, ("  пять   ", "пять"))
    assert parse(long, "   ") is None
    assert reason(long, "да") == "Please write at least 3 characters."
    assert reason(long, "шестер") == "Please write at most 5 characters."
    order = field("text", pattern=pattern(r"(?:ORD-)?(\d{6,8})"))
    accepted(order, ("ord-123456", "123456"))
    refused(order, "123", "номер 123456")
    kind = kind_of(order)
    assert kind.find(order, "ORD-123456 и 89991234567") == [("123456", 0, 10)]
    assert kind.find(field("text"), "123456") == []
    assert kind.find(field("text", pattern=pattern(r"\d+"), min=3, max=4), "1 123 12345") == [("123", 2, 5)]
    assert kind.show(order, "123456", EN) == "123456"
    assert kind.buttons(order, EN) == ()


def test_number() -> None:
    accepted(
        field("number"),
        ("1500", 1500), ("1 500,50", 1500.5), ("1\u00a0500", 1500), ("-5", -5), ("−7", -7), ("+3", 3), ("1.5", 1.5),
        ("1,234,567", 1234567), ("1.500,50", 1500.5), ("1,500.50", 1500.5), ("0.500", 0.5), ("5.", 5), ("1'000", 1000),
        ("1 500,50 ₽", 1500.5), ("300 руб.", 300),
    )  # fmt: skip
    refused(
        field("number"), "пять", "12 34", "1,2,3", "1.2.3,4,5", "1 234,567,890", "12 штук", "٣", "1" * 16, "-", "1e5"
    )
    asked(field("number"), "1.500", 1.5, 1500)
    accepted(field("number", max=100), ("1.500", 1.5))
    accepted(field("number", min=100), ("1.500", 1500))
    limited = field("number", min=1, max=1000)
    assert reason(limited, "0") == "It must be at least 1."
    assert reason(limited, "1001") == "It must be at most 1,000."
    assert isinstance(parse(field("number", max=1), "1.500"), Wrong)
    assert kind_of(limited).show(limited, 12345.5, texts("ru")) == "12\u00a0345,5"


def test_money() -> None:
    accepted(
        field("money"),
        ("1 500,50 ₽", 1500.5), ("₽ 100", 100), ("1500 руб.", 1500), ("2,5 рубля", 2.5), ("100р", 100), ("100 RUB", 100),
        ("1.500", 1500), ("1,500 ₽", 1500), ("1500.50", 1500.5), ("15000", 15000),
    )  # fmt: skip
    refused(field("money"), "много", "1,2345", "0.005", "₽", "100 $", "рубль")
    assert reason(field("money", min=100), "50 ₽") == "It must be at least 100\u00a0₽."
    made = field("money")
    assert kind_of(made).show(made, 1500.5, texts("ru")) == "1\u00a0500,50\u00a0₽"
    assert kind_of(made).show(made, 1500, texts("ru")) == "1\u00a0500\u00a0₽"
    assert kind_of(made).show(made, -1500.5, EN) == "-1,500.50\u00a0₽"


def test_yes_no() -> None:
    made = field("yes_no")
    accepted(made, *((x, True) for x in ("да", "Да!", "ага, всё верно", "1", "+", "👍", "Yes, please", "конечно да")))
    accepted(made, *((x, False) for x in ("нет", "Нет.", "2", "-", "👎", "No, thanks", "не надо")))
    refused(made, "да нет", "не знаю", "ну", "всё", "3", "🙂")
    for language in ("ru", "en"):
        t = texts(language)
        assert kind_of(made).buttons(made, t) == ((Button(t("Yes")), Button(t("No"))),)
        assert kind_of(made).show(made, True, t) == t("Yes")
        assert parse(made, t("Yes")) == Accepted(True)
        assert parse(made, t("No")) == Accepted(False)


REASONS = options(("Брак или поломка", "сломалось", "не работает"), "Привезли не то", "Не подошло, мало")


def test_choice() -> None:
    made = field("choice", options=REASONS)
    accepted(
        made, ("1", "Брак или поломка"), ("2.", "Привезли не то"), ("НЕ ПОДОШЛО мало", "Не подошло, мало"),
        ("он сломался", "Брак или поломка"),
    )  # fmt: skip
    refused(made, "4", "подошло", "0")
    assert kind_of(made).buttons(made, EN) == tuple((Button(option.label),) for option in REASONS)


def test_many() -> None:
    made = field("many", options=REASONS, min=1, max=2)
    accepted(
        made,
        ("1, 3", ["Брак или поломка", "Не подошло, мало"]),
        ("3 1", ["Брак или поломка", "Не подошло, мало"]),
        ("привезли не то\u00a0 и  сломалось", ["Брак или поломка", "Привезли не то"]),
        ("Не подошло, мало", ["Не подошло, мало"]),
        ("2; 2", ["Привезли не то"]),
    )
    refused(made, "1, 9", "что", ",", "1 и что")
    assert reason(made, "1,2,3") == "Please choose at most 2 options."
    assert reason(field("many", options=REASONS, min=2), "1") == "Please choose at least 2 options."
    assert len(kind_of(made).buttons(made, EN)) == 3
    assert kind_of(made).show(made, ["а", "б"], EN) == "а, б"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2025-03-05", "2025-03-05"), ("2025.3.5", "2025-03-05"), ("05.03.2025", "2025-03-05"), ("5.3.25", "2025-03-05"),
        ("06.03", "2025-03-06"), ("05/04/2026", "2026-04-05"), ("01 02 2026", "2026-02-01"), ("05-04-2026", "2026-04-05"),
        ("5 мая", "2025-05-05"), ("5 Мая 2024 года", "2024-05-05"), ("5-го мая", "2025-05-05"), ("5 мая 85", "1985-05-05"),
        ("май 5", "2025-05-05"), ("до 10 марта", "2025-03-10"), ("12 июня 2025 г.", "2025-06-12"), ("5 сент.", "2025-09-05"),
        ("March 5", "2025-03-05"), ("5 of April, 2026", "2026-04-05"), ("Mar 5th, 2026", "2026-03-05"),
        ("сегодня", "2025-03-05"), ("Завтра!", "2025-03-06"), ("послезавтра", "2025-03-07"), ("вчера", "2025-03-04"),
        ("позавчера", "2025-03-03"), ("tomorrow", "2025-03-06"), ("the day after tomorrow", "2025-03-07"),
        ("в пятницу", "2025-03-07"), ("к пятнице", "2025-03-07"), ("во вторник", "2025-03-11"), ("on friday", "2025-03-07"),
        ("в эту среду", "2025-03-05"), ("в прошлую пятницу", "2025-02-28"), ("last wednesday", "2025-02-26"),
        ("в следующую среду", "2025-03-12"), ("в следующий вторник", "2025-03-11"), ("пт", "2025-03-07"),
        ("через 3 дня", "2025-03-08"), ("через неделю", "2025-03-12"), ("через две недели", "2025-03-19"),
        ("in a week", "2025-03-12"), ("неделю назад", "2025-02-26"), ("3 days ago", "2025-03-02"),
        ("через месяц", "2025-04-05"), ("месяц назад", "2025-02-05"), ("in a month", "2025-04-05"),
        ("15-го", "2025-03-15"), ("5 числа", "2025-03-05"), ("29.02", "2024-02-29"), ("29.02.2024", "2024-02-29"),
    ],
)  # fmt: skip
def test_date(text: str, day: str) -> None:
    accepted(field("date"), (text, day))


def test_dates_that_mean_two_days() -> None:
    made = field("date")
    asked(made, "04.03", "2025-03-04", "2026-03-04")
    asked(made, "4 марта", "2025-03-04", "2026-03-04")
    asked(made, "25 декабря", "2024-12-25", "2025-12-25")
    asked(made, "в среду", "2025-03-05", "2025-03-12")
    asked(made, "в следующую пятницу", "2025-03-07", "2025-03-14")
    asked(made, "next friday", "2025-03-07", "2025-03-14")
    asked(made, "1 числа", "2025-03-01", "2025-04-01")
    asked(made, "03/04/2026", "2026-03-04", "2026-04-03", language="en")
    assert parse(made, "03/25/2026", "en") == Accepted("2026-03-25")
    assert parse(made, "25/03/2026", "en") == Accepted("2026-03-25")
    assert parse(made, "03/03/2026", "en") == Accepted("2026-03-03")
    answer = parse(made, "04.03")
    assert isinstance(answer, Unclear)
    assert [label for label, _ in answer.options] == ["4 марта 2025", "4 марта 2026"]
    answer = parse(made, "в среду")
    assert isinstance(answer, Unclear)
    assert [label for label, _ in answer.options] == ["5 марта", "12 марта"]


def test_a_rule_tells_which_day_is_meant() -> None:
    past = field("date", check=(rule("value <= today", "Дата в будущем."),))
    assert parse(past, "04.03") == Accepted("2025-03-04")
    coming = field("date", check=(rule("value >= today", "Дата прошла."), rule("value < срок", "Поздно.")))
    assert parse(coming, "04.03") == Accepted("2026-03-04")
    never = field("date", check=(rule("value > '2030-01-01'", "Рано."),))
    assert parse(never, "04.03") == Accepted("2025-03-04")


def test_no_dates() -> None:
    assert reason(field("date"), "31.02") == "There is no such date."
    assert reason(field("date"), "не знаю") == "This is not a date."
    refused(
        field("date"), "32-го", "0.0", "2025-13-01", "маршрут 5", "5 5", "через", "через пять", "дня назад нет", "5",
        "через 9999999 дней", "через 999999 веков", "через много дней", "следующий раз", "5 foo", "foo 5", "x" * 100,
        "через 999999 недель", "13/13/2025", "31.12.9999.1",
    )  # fmt: skip
    assert isinstance(parse(field("date"), "13/13/2025", "en"), Wrong)


def test_dates_at_the_edges_of_months() -> None:
    made, t = field("date"), texts("ru")
    leap = datetime(2024, 1, 31, tzinfo=ZoneInfo("Europe/Moscow"))
    assert kind_of(made).parse(made, Heard("через месяц"), leap, t) == Accepted("2024-02-29")
    assert kind_of(made).parse(made, Heard("30 числа"), leap.replace(month=1), t) == Accepted("2024-01-30")
    assert kind_of(made).parse(made, Heard("29.02"), leap, t) == Accepted("2024-02-29")
    december = leap.replace(month=12)
    assert kind_of(made).parse(made, Heard("через месяц"), december, t) == Accepted("2025-01-31")
    assert isinstance(kind_of(made).parse(made, Heard("30-го"), december, t), Unclear)
    late = leap.replace(year=2025, month=3, day=1)
    assert kind_of(made).parse(made, Heard("29 февраля"), late, t) == Accepted("2024-02-29")
    assert kind_of(made).parse(made, Heard("29 февраля"), leap.replace(month=3), t) == Accepted("2024-02-29")
    assert kind_of(made).show(made, "2025-03-05", t) == "5 марта 2025"
    assert kind_of(made).show(made, "?", t) == "?"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("10:30", "10:30"), ("9.05", "09:05"), ("10-30", "10:30"), ("10 30", "10:30"), ("1030", "10:30"), ("в 10", "10:00"),
        ("19", "19:00"), ("10 часов", "10:00"), ("10 ч. 15 мин.", "10:15"), ("10 часов 15 минут", "10:15"),
        ("24:00", "00:00"), ("7 вечера", "19:00"), ("в 3 часа дня", "15:00"), ("час дня", "13:00"), ("11 дня", "11:00"),
        ("12 дня", "12:00"), ("12 ночи", "00:00"), ("2 ночи", "02:00"), ("11 ночи", "23:00"), ("9 утра", "09:00"),
        ("7:30 вечера", "19:30"), ("19 вечера", "19:00"), ("7 pm", "19:00"), ("7:30pm", "19:30"), ("12 am", "00:00"),
        ("12 p.m.", "12:00"), ("8 in the evening", "20:00"), ("at 10 o'clock", "10:00"), ("полдень", "12:00"),
        ("midnight", "00:00"), ("сейчас", "14:00"), ("десять", "10:00"), ("полвосьмого утра", "07:30"),
        ("без четверти восемь вечера", "19:45"), ("quarter to 8 pm", "19:45"), ("07", "07:00"),
    ],
)  # fmt: skip
def test_time(text: str, said: str) -> None:
    accepted(field("time"), (text, said))


def test_times_that_mean_two() -> None:
    for text, early, late in [
        ("в 7", "07:00", "19:00"), ("в час", "01:00", "13:00"), ("полвосьмого", "07:30", "19:30"),
        ("пол восьмого", "07:30", "19:30"), ("половина третьего", "02:30", "14:30"), ("без четверти 8", "07:45", "19:45"),
        ("четверть восьмого", "07:15", "19:15"), ("half past seven", "07:30", "19:30"), ("quarter past 8", "08:15", "20:15"),
    ]:  # fmt: skip
        asked(field("time"), text, early, late)
    accepted(field("time"), ("полпервого", "12:30"), ("без четверти час", "12:45"), ("quarter to one", "12:45"))


def test_no_times() -> None:
    refused(field("time"), "25:00", "10:60", "24:30", "15 утра", "потом", "999", "25", "без четверти ноль", "x" * 100, "x часов",
            "четверть нулевого", "quarter to zero")  # fmt: skip
    assert kind_of(field("time")).show(field("time"), "09:00", EN) == "09:00"


def test_phone() -> None:
    made, number = field("phone"), "+79991234567"
    accepted(
        made, *((text, number) for text in (
            "+7 999 123-45-67", "89991234567", "9991234567", "79991234567", "8 (999) 123-45-67", "+7(999)123–45–67",
            "мой номер +7 (999) 123-45-67.", "тел. 89991234567 Иван", "заказ 123456 8 999 123 45 67",
        )), ("+44 20 7946 0958", "+442079460958"), ("+375 29 123 45 67", "+375291234567"),
    )  # fmt: skip
    refused(made, "12345", "привет", "+7 999 123-45-67 и 8 999 123 45 68", "0" * 200, "1 " * 2000, "+1", "12.03.2025",
            "+999 12345678", "8 000 000 00 00", "a+79991234567")  # fmt: skip
    kind = kind_of(made)
    text = "звоните +7 999 123-45-67, 89991234568 или a89991234569"
    assert [(value, text[start:end]) for value, start, end in kind.find(made, text)] == [
        (number, "+7 999 123-45-67"),
        ("+79991234568", "89991234568"),
    ]
    assert kind.show(made, number, EN) == "+7 999 123-45-67"
    assert render_phone("?") == "?"
    ((button,),) = kind.buttons(made, EN)
    assert button.ask == "contact"
    assert button.label


def test_shared_contacts() -> None:
    made = field("phone")
    assert parse(made, "", contact=Contact("79991234567", own=True)) == Accepted("+79991234567", verified=True)
    assert parse(made, "", contact=Contact("+442079460958")) == Accepted("+442079460958")
    assert parse(made, "", contact=Contact("89991234567")) == Accepted("+79991234567")
    assert parse(made, "", contact=Contact("x")) is None
    person = field("contact")
    assert parse(person, "", contact=Contact("79991234567", "Иван\u202e", own=True)) == Accepted(
        {"имя": "Иван", "телефон": "+79991234567"}, verified=True
    )


def test_contact_in_words() -> None:
    made = field("contact")
    accepted(
        made,
        ("Иван, +7 999 123-45-67", {"имя": "Иван", "телефон": "+79991234567"}),
        ("89991234567", {"имя": "", "телефон": "+79991234567"}),
        ("89991234567 — Анна Иванова", {"имя": "Анна Иванова", "телефон": "+79991234567"}),
    )
    refused(made, "Иван", "89991234567 и 89991234568")
    assert kind_of(made).show(made, {"имя": "Анна", "телефон": "+7"}, EN) == "Анна +7"
    assert kind_of(made).buttons(made, EN)[0][0].ask == "contact"


def test_email() -> None:
    made = field("email")
    accepted(
        made, ("a@b.ru", "a@b.ru"), ("моя почта A.b@Example.COM.", "A.b@example.com"), ("<a@b.ru>", "a@b.ru"),
        ("иван@пример.рф", "иван@пример.рф"),
    )  # fmt: skip
    refused(
        made, "a@b", "нет", "b@c.ru d@e.ru", "x@localhost", "x" * 70 + "@a.ru", "a@" + "b" * 300 + ".ru", "@", "a@.ru"
    )
    text = "пишите a@b.ru, c@d.ru!"
    assert kind_of(made).find(made, text) == [("a@b.ru", 7, 13), ("c@d.ru", 15, 21)]


def test_inn() -> None:
    made = field("inn")
    accepted(
        made, ("7707083893", "7707083893"), ("ИНН: 500100732259", "500100732259"), ("77 07 08 38 93", "7707083893")
    )
    assert reason(made, "7707083894").startswith("There is a mistake")
    assert reason(made, "123") == "An INN has 10 or 12 digits."
    refused(made, "500100732258", "500100732269", "0000000000", "инн")
    assert kind_of(made).find(made, "инн 7707083893, тел 79991234567, 7707083894") == [("7707083893", 4, 14)]
    assert not is_inn("1" * 12)


def photo(**keys: Any) -> Attachment:
    return Attachment(**{"kind": "photo", "file": "f1", "size": MB, **keys})


def test_photo() -> None:
    made = field("photo", max_files=2, max_mb=1.5, formats=("JPG", "png"))
    album = (photo(), photo(file="f2", kind="file", mime="image/png", name="a.PNG"))
    assert parse(made, "вот", attachments=album) == Accepted(["f1", "f2"])
    assert parse(made, "", attachments=(photo(file="", ref="tg"),)) == Accepted(["tg"])
    assert reason(made, "фото") == "Please send a photo."
    assert reason(made, "", attachments=(photo(kind="file", mime="application/pdf"),)) == "Please send a photo."
    assert reason(made, "", attachments=(photo(),) * 3) == "Please send at most 2 files."
    assert reason(made, "", attachments=(photo(size=2 * MB),)) == "A file may be at most 1.5 MB."
    gif = photo(kind="file", mime="image/gif")
    assert reason(made, "", attachments=(gif,)) == "Please send files of these formats: JPG, png."
    assert kind_of(made).show(made, ["a", "b"], EN) == "2 photos"


def test_a_file_that_the_messenger_does_not_give_out_is_no_answer() -> None:
    note = photo(kind="file", file="", ref="r", note="Telegram gives out no files of more than 20 MB")
    assert reason(field("file"), "", attachments=(note,)) == "Telegram gives out no files of more than 20 MB."


def test_file() -> None:
    made = field("file", formats=("pdf", "docx", ".jpeg"))
    word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    for attachment in (
        Attachment("file", "f", name="Акт.PDF"), Attachment("file", "f", mime="application/pdf"),
        Attachment("file", "f", mime=word), Attachment("photo", "f"), Attachment("file", "f", mime="image/jpeg"),
    ):  # fmt: skip
        assert parse(made, "", attachments=(attachment,)) == Accepted(["f"])
    for attachment in (Attachment("file", "f", name="a.exe"), Attachment("voice", "f")):
        assert "formats" in reason(made, "", attachments=(attachment,))
    assert reason(made, "", attachments=(Attachment("sticker", "f"),)) == "Please send a file."
    assert reason(made, "вот") == "Please send a file."
    assert parse(field("file"), "", attachments=(Attachment("voice", "v"),)) == Accepted(["v"])
    assert kind_of(made).show(made, ["a"], EN) == "1 file"
    assert kind_of(made).show(made, None, EN) == "0 files"


def test_location() -> None:
    made = field("location")
    accepted(
        made, ("Москва,\nТверская 1", {"адрес": "Москва, Тверская 1"}),
        ("55.75, 37.61", {"адрес": "55.75, 37.61", "широта": 55.75, "долгота": 37.61}),
    )  # fmt: skip
    refused(made, "12", "дом", "🙂🙂🙂🙂🙂", "12345")
    assert reason(made, "99.5, 37.6") == "There is no such place on Earth."
    assert parse(made, "", location=Location(55.7, 37.6)) == Accepted(
        {"адрес": "55.7, 37.6", "широта": 55.7, "долгота": 37.6}
    )
    assert parse(made, "", location=Location(55.7, 37.6, "Кафе\x00")) == Accepted(
        {"адрес": "Кафе", "широта": 55.7, "долгота": 37.6}
    )
    assert kind_of(made).buttons(made, EN)[0][0].ask == "location"
    assert kind_of(made).show(made, {"адрес": "55.7, 37.6"}, EN) == "55.7, 37.6"


def test_rating() -> None:
    made = field("rating")
    accepted(made, ("5", 5), ("1!", 1), ("⭐⭐⭐", 3), ("⭐️ ⭐️", 2), ("пять", 5), ("two", 2))
    refused(made, "6", "0", "⭐" * 6, "хорошо", "-1", "٣", "5555555")
    assert reason(made, "7") == "Please answer with a number from 1 to 5."
    assert [button.label for button in kind_of(made).buttons(made, EN)[0]] == ["1", "2", "3", "4", "5"]
    accepted(field("rating", max=10), ("10", 10))
    assert len(kind_of(made).buttons(field("rating", min=0, max=100), EN)[0]) == 10


EVERY = [
    *(field(kind.type, options=REASONS) for kind in FIELDS),
    field("text", pattern=pattern(r"(?:ORD-)?(\d{6,8})"), min=1, max=9),
]
SAID = st.text(max_size=60) | st.text(alphabet="0123456789 .,+-:/()@ав", max_size=40) | st.sampled_from(
    ["в 5", "5 мая", "через 5 дней", "следующая среда", "1,2", "a@b.ru", "7707083893", "+7 999 123 45 67"]
)  # fmt: skip


@given(st.sampled_from(EVERY), SAID, st.sampled_from(["ru", "en"]))
def test_any_text_for_any_type(made: Field, text: str, language: str) -> None:
    kind, t = kind_of(made), texts(language)
    answer = kind.parse(made, Heard(text.strip()), NOW, t)
    assert answer == kind.parse(made, Heard(text.strip()), NOW, t)
    if isinstance(answer, Accepted):
        assert orjson.loads(orjson.dumps(answer.value)) == answer.value
        assert isinstance(kind.show(made, answer.value, t), str)
    if isinstance(answer, Unclear):
        assert len(answer.options) > 1
        assert len(set(answer.options)) == len(answer.options)
    for value, start, end in kind.find(made, text):
        assert value
        assert 0 <= start < end <= len(text)


WALLS = ["1 " * 2000, "1" * 4096, " " * 2000 + "x" + " " * 2000, "a@" * 2000, "11111 " * 680, "+" * 4096, "(" * 4096,
         "1-(2) " * 600, "а" * 4096, "в " * 2000, "через " * 600, "a@b.ru " * 500, "8 999 123 45 67 " * 250, "," * 4096,
         "\u00a0 и " * 1000, "1.1," * 1000]  # fmt: skip


@pytest.mark.parametrize("made", EVERY, ids=lambda made: made.type)
def test_walls_of_text_are_not_slow(made: Field) -> None:
    kind, t = kind_of(made), texts("ru")
    for wall in WALLS:
        begun = clock.perf_counter()
        kind.parse(made, Heard(wall.strip()), NOW, t)
        kind.find(made, wall)
        assert clock.perf_counter() - begun < 0.25, wall[:12]


@pytest.mark.parametrize("type", ["phone", "email", "inn"])
def test_what_is_picked_out_is_what_would_be_accepted(type: str) -> None:
    made = field(type)
    for text in ("+7 999 123-45-67", "a@b.ru", "7707083893", "89991234567"):
        for value, start, end in kind_of(made).find(made, f"🙂 {text}!"):
            assert parse(made, f"🙂 {text}!"[start:end]) == Accepted(value)
