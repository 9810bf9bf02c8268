"""The matcher: levels, forms, typos, equals, and its speed."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.actions.choose import Choose, Way
from bot.forms import base, forms
from bot.heard import Heard
from bot.matcher import Matcher, build_matcher, is_one_typo, phrase_key
from bot.model import Flow
from bot.options import match_option
from bot.triggers import Button, Command, EventTrigger, Exact, Link, PatternTrigger, Words
from tests.bot.leaves.make import AT, expression, field, flow, options, pattern, template


def words(*phrases: str) -> Words:
    return Words(at=AT, phrases=phrases)


def build(**triggers: object) -> Matcher:
    flows = [flow(name, *(found if isinstance(found, tuple) else (found,))) for name, found in triggers.items()]
    return build_matcher({made.id: made for made in flows})


SHOP = build(
    возврат=(
        Button(at=AT, label="📦 Вернуть товар"),
        words("вернуть товар", "вернуть деньги", "возврат"),
        Link(at=AT, payload="возврат-qr"),
        Exact(at=AT, phrases=("1", "+")),
    ),
    заказ=(
        Button(at=AT, label="Где мой заказ"),
        words("где заказ", "когда приедет заказ"),
        PatternTrigger(at=AT, pattern=pattern(r"заказ\s+(?P<номер>\d{6,8})")),
        Command(at=AT, name="/status"),
    ),
    оплата=(
        words("оплатить заказ", "счёт на оплату", "деньги списали дважды"),
        EventTrigger(at=AT, event="webhook.invoice", where=expression("event.сумма > 0")),
        PatternTrigger(at=AT, pattern=pattern(r"счёт №\d+")),
        PatternTrigger(at=AT, pattern=pattern(r"счёт")),
    ),
    язык=words("refund order"),
    пусто=words("!!!"),
)


@pytest.mark.parametrize(
    ("text", "flows", "level"),
    [
        ("вернуть товар", ["возврат"], 3),
        ("ВЕРНУТЬ ТОВАР!", ["возврат"], 3),
        ("1", ["возврат"], 4),
        ("+", ["возврат"], 4),
        ("где мой заказ 1234567", ["заказ"], 5),
        ("хочу вернуть товары", ["возврат"], 6),
        ("верну деньги или товар", ["возврат"], 6),
        ("товар верните", ["возврат"], 6),
        ("где же он, заказ", ["заказ"], 6),
        ("где заказ, хочу оплатить заказ и когда приедет", ["заказ"], 6),
        ("Please refund my orders", ["язык"], 6),
        ("хочу вирнуть товвар", ["возврат"], 6),
        ("возврта", ["возврат"], 6),
        ("гд заказ", [], 0),
        ("привет", [], 0),
        ("", [], 0),
        ("🙂🙂🙂", [], 0),
        ("слово " * 64 + "вернуть товар", [], 0),
    ],
)
def test_match(text: str, flows: list[str], level: int) -> None:
    found = SHOP.match(Heard(text))
    assert [match.flow for match in found] == flows
    assert {match.level for match in found} == ({level} if flows else set())


def test_fills_and_reasons() -> None:
    (found,) = SHOP.match(Heard("Заказ 1234567"))
    assert found.fills == {"номер": "1234567"}
    assert found.why["trigger"] == "pattern"
    (found,) = SHOP.match(Heard("хочу вернуть товары"))
    assert found.why == {"trigger": "words", "phrase": "вернуть товар"}
    (found,) = SHOP.match(Heard("хочу вирнуть товар"))
    assert found.why["repaired"] == {"вирнуть": "вернуть"}


def test_no_typo_is_mended_when_it_must_not_be() -> None:
    assert SHOP.match(Heard("хочу вирнуть товар"), repair=False) == []
    assert [match.flow for match in SHOP.match(Heard("хочу вернуть товары"), repair=False)] == ["возврат"]


def test_one_match_for_a_flow_at_a_level() -> None:
    (found,) = SHOP.match(Heard("счёт №17"))
    assert found.flow == "оплата"
    matcher = build(а=(words("вернуть товар"), words("товар вернуть")), б=words("купить товар"))
    assert [match.flow for match in matcher.match(Heard("вернуть товар"))] == ["а"]


def test_more_words_win_then_rarer_words() -> None:
    matcher = build(
        а=words("вернуть товар"),
        б=words("вернуть товар почтой"),
        в=words("вернуть долг"),
        г=words("вернуть карту", "карта"),
    )
    assert [m.flow for m in matcher.match(Heard("вернуть товар почтой"))] == ["б"]
    assert [m.flow for m in matcher.match(Heard("вернуть карту или долг"))] == ["в"]


def test_equals_are_all_told() -> None:
    matcher = build(
        а=words("вернуть товар"),
        б=words("товар назад"),
        в=Exact(at=AT, phrases=("да",)),
        г=Exact(at=AT, phrases=("да",)),
    )
    assert [m.flow for m in matcher.match(Heard("вернуть назад этот товар"))] == ["а", "б"]
    assert [m.flow for m in matcher.match(Heard("Да"))] == ["в", "г"]


def test_two_labels_of_a_flow_that_read_alike_are_one() -> None:
    matcher = build(а=(Button(at=AT, label="Да"), Button(at=AT, label="да!")))
    assert len(matcher.button("Да")) == 1


def test_links_commands_buttons_events() -> None:
    assert [m.flow for m in SHOP.link("vozvrat-qr")] == ["возврат"]
    assert [m.flow for m in SHOP.link("возврат-qr")] == ["возврат"]
    assert SHOP.link("x") == []
    assert [m.flow for m in SHOP.command("/status@bot")] == ["заказ"]
    assert SHOP.command("/x") == []
    assert [m.flow for m in SHOP.button("Где мой заказ?")] == ["заказ"]
    assert SHOP.button("x") == []
    ((name, trigger),) = SHOP.event("webhook.invoice")
    assert name == "оплата"
    assert trigger.where is not None
    assert SHOP.event("message") == []


def test_phrase_keys() -> None:
    assert phrase_key("вернуть товары") == phrase_key("товар вернуть")
    assert phrase_key("вернуть") < phrase_key("вернуть товар")
    assert phrase_key("refund orders") == phrase_key("refund order")
    assert phrase_key("gas 17") == {"gas", "17"}


def test_forms() -> None:
    assert {"заказ", "заказа", "заказами"} <= forms("заказ")
    assert {"счет", "счета", "счетами"} <= forms("счет")
    assert forms("17") == {"17"}
    assert forms("id") == {"id"}
    assert {"orders", "ordered", "ordering"} <= forms("order")
    assert forms("абракадыбр") == {"абракадыбр"}
    assert base("абракадыбр") == "абракадыбр"


@pytest.mark.parametrize(
    ("said", "form", "one"),
    [
        ("вернть", "вернуть", True),
        ("вернууть", "вернуть", True),
        ("вирнуть", "вернуть", True),
        ("вренуть", "вернуть", True),
        ("вернуть", "вернуть", True),
        ("врнть", "вернуть", False),
        ("тьернув", "вернуть", False),
        ("вернутьс", "вернуть", True),
    ],
)
def test_typos(said: str, form: str, one: bool) -> None:
    assert is_one_typo(said, form) is one
    assert is_one_typo(form, said) is one


def test_words_of_options_are_learnt_with_the_triggers() -> None:
    way = Way(at=AT, button="А", words=("запломбировать",))
    inner = Choose(at=AT, question=template("?"), options=(Way(at=AT, button="Б", words=("отрихтовать",)),))
    outer = Choose(at=AT, question=template("?"), options=(way, Way(at=AT, button="В", then=(inner,))))
    asked = field("choice", options=options(("Г", "перешлифовать")))
    build_matcher({"а": Flow(id="а", at=AT, title="а", fields={"г": asked}, steps=(outer,))})
    known = forms.cache_info()
    for word in ("запломбировать", "отрихтовать", "перешлифовать"):
        forms(word)
    assert forms.cache_info().misses == known.misses


LABELS = ("Брак или поломка", "Привезли не то", "📦 Не подошло", "5 штук")
PHRASES = (("сломалось", "не работает"), (), ("мало", "велико"), ())


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("брак или поломка", 0), ("Брак или поломка!", 0), ("1", 0), ("2.", 1), ("3)", 2), ("№ 3", 2), ("9", None),
        ("0", None), ("не подошло", 2), ("он не работает", 0), ("сломалась", 0), ("сломалось и мало", None),
        ("не работает и мало", 0), ("5 штук", 3), ("", None), ("что", None),
    ],
)  # fmt: skip
def test_options(text: str, option: int | None) -> None:
    assert match_option(Heard(text), LABELS, PHRASES) == option


def test_the_first_of_two_equal_labels() -> None:
    assert match_option(Heard("да"), ("Да", "да!")) == 0


@given(st.text(max_size=80))
def test_any_text(text: str) -> None:
    found = SHOP.match(Heard(text.strip()))
    assert found == SHOP.match(Heard(text.strip()))
    assert len({match.flow for match in found}) == len(found)
    match_option(Heard(text.strip()), LABELS, PHRASES)


@pytest.mark.speed
def test_five_hundred_phrases_are_quick() -> None:
    verbs = [
        "вернуть",
        "заказать",
        "оформить",
        "отменить",
        "узнать",
        "проверить",
        "получить",
        "изменить",
        "оплатить",
        "забрать",
        "купить",
    ]
    nouns = [
        "товар",
        "заказ",
        "деньги",
        "доставку",
        "пароль",
        "логин",
        "счёт",
        "договор",
        "карту",
        "скидку",
        "чек",
        "адрес",
        "телефон",
        "фото",
        "доступ",
    ]
    extra = [f"{a} {b} сегодня" for a in verbs for b in nouns]
    phrases = [f"{a} {b}" for a in verbs for b in nouns] + extra
    phrases += [f"{a} {b} {day}" for a in verbs for b in nouns for day in ("завтра", "вчера", "сейчас")]
    random.Random(1).shuffle(phrases)
    begun = time.perf_counter()
    matcher = build(**{f"f{n}": words(*phrases[n : n + 5]) for n in range(0, 495, 5)})
    assert time.perf_counter() - begun < 5.0
    heard = Heard("Здравствуйте, как мне получить деньги за вчерашний заказ")
    matcher.match(heard)
    begun = time.perf_counter()
    for _ in range(2000):
        matcher.match(heard, repair=False)
    assert (time.perf_counter() - begun) / 2000 < 400e-6
    begun = time.perf_counter()
    matcher.match(Heard("ззззз " * 680))
    assert time.perf_counter() - begun < 0.5
