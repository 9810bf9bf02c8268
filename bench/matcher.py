"""The matcher alone: microseconds for one message with 500 and 5,000 trigger phrases, caught, mistyped and uncaught."""

from __future__ import annotations

import random
import re
import time
from itertools import islice, product

from bench.stats import percentile
from bot.heard import Heard
from bot.matcher import Matcher, build_matcher
from bot.model import Flow
from bot.triggers.words import Words
from core.findings import Position

WORD = re.compile(r"\w+")
VERBS = WORD.findall(
    "вернуть заказать оформить отменить узнать проверить получить изменить оплатить забрать купить обменять"
)
NOUNS = WORD.findall(
    "товар заказ деньги доставку пароль логин счёт договор карту скидку чек адрес телефон фото доступ посылку курьера "
    "магазин бонусы подписку гарантию ремонт размер цвет отзыв кредит рассрочку справку накладную упаковку"
)
WHEN = ["", *WORD.findall("сегодня завтра вчера сейчас онлайн срочно снова самому вместе дома утром вечером весной")]
PHRASES_A_FLOW = 5


def phrases(number: int) -> list[str]:
    """So many different phrases, always the same ones."""
    made = [" ".join(filter(None, parts)) for parts in product(VERBS, NOUNS, WHEN)]
    random.Random(1).shuffle(made)
    return made[:number]


def matcher(number: int) -> Matcher:
    """A matcher of so many phrases, five to a flow."""
    at, left = Position("bench.yaml", 1, 1), iter(phrases(number))
    flows: dict[str, Flow] = {}
    while some := tuple(islice(left, PHRASES_A_FLOW)):
        name = f"f{len(flows)}"
        flows[name] = Flow(id=name, at=at, title=name, triggers=(Words(at=at, phrases=some),))
    return build_matcher(flows)


def messages(number: int) -> dict[str, list[str]]:
    """What clients write, by what should come of it."""
    known = phrases(number)[:: max(1, number // 100)]
    return {
        "caught": [f"Здравствуйте, хочу {phrase}, пожалуйста" for phrase in known],
        "mistyped": [phrase.replace("о", "", 1) if "о" in phrase else phrase[1:] for phrase in known],
        "uncaught": [f"Спасибо большое, всё уже пришло, номер {n}" for n in range(100)],
    }


def matcher_lines(rounds: int = 20) -> list[str]:
    """What a message costs, microseconds: median and p99 of every kind."""
    lines = []
    for number in (500, 5000):
        began = time.perf_counter()
        made = matcher(number)
        built = time.perf_counter() - began
        parts = [f"{kind} {told(made, texts, rounds)}" for kind, texts in messages(number).items()]
        lines.append(f"- matcher with {number} phrases, µs median / p99: {', '.join(parts)}; built in {built:.1f} s")
    return lines


def told(made: Matcher, texts: list[str], rounds: int) -> str:
    """Median and p99 of one message."""
    times = []
    for _ in range(rounds):
        for text in texts:
            began = time.perf_counter()
            made.match(Heard(text))
            times.append(1e6 * (time.perf_counter() - began))
    return f"{percentile(times, 0.5):.0f} / {percentile(times, 0.99):.0f}"
