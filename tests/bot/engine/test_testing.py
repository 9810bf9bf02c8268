"""YAML tests of flows: what passes, what fails and where, and what no test has visited."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest

from bot.testing import TestReport, run_tests
from core.locale import texts
from core.turn import LineFacts
from tests.bot.engine.play import BOT, DEPLOYMENT, build
from tests.bot.engine.shop import BILLING, SHOP

OVERDUE = """
flow: Напоминание
triggers: [{event: webhook.invoice}, {link: счёт}, {command: /pay}]
steps:
  - say: "Счёт на **{{ event.amount | default('ноль') }}** рублей."
  - end: напомнили
"""
SOLVED = """
flow: Решено
triggers: [{event: ticket_solved}]
steps: [{say: "Заявка {{ event.номер }} решена."}, {end: решено}]
"""
OUTER = """
flow: Внешняя
triggers: [{words: [внешняя заявка]}]
fields:
  контакт: {label: Контакт, type: contact, ask: "Контакт?"}
  место: {label: Место, type: location, ask: "Место?"}
  файл: {label: Файл, type: file, ask: "Файл?"}
steps:
  - ask: [контакт, место, файл]
  - ticket: outer
    title: Внешняя
    text: Текст
    attach: [файл]
    priority: срочно
    failed: [{say: Отказ.}, {end: отказ}]
  - say: Создана.
  - end: создана
"""
BOOK = build(overdue=OVERDUE, solved=SOLVED, outer=OUTER, **SHOP)
OUTSIDE = 'client: внешняя заявка\nsend: {contact: "+79161112233"}\nsend: {location: Казань}\n'
NIGHT = """
- test: Ночью вместо оператора создаётся заявка
  given:
    now: 2025-03-05 23:10
    client: {inn: "7707083893"}
  talk:
    - client: у меня двойное списание
    - bot: О чём вопрос
      buttons: [Счёт или акт, Платёж не дошёл, Списали дважды, Другое]
    - press: Списали дважды
    - client: Счёт 18 списали два раза
    - bot: откроется
  expect:
    ticket: {desk: billing, with: {Срочность: высокая}}
    outcome: заявка в нерабочее время
"""


def nine_to_six(line: str, now: datetime) -> LineFacts:
    open = 9 <= now.hour < 18
    return LineFacts(line, open, now if open else (now + timedelta(days=1)).replace(hour=9, minute=0))


def run(text: str, name: str = "billing") -> TestReport:
    return run_tests(BOOK, {f"tests/{name}.test.yaml": text}, open_at=nine_to_six)


def case(talk: str, expect: str = "", given: str = "") -> str:
    lines = ["- test: Случай"]
    lines += [f"  given: {given}"] if given else []
    lines += ["  talk:", *(f"    - {line}" for line in talk.strip().splitlines())]
    lines += [f"  expect: {expect}"] if expect else []
    return "\n".join(lines)


def test_the_example_of_the_language_passes() -> None:
    report = run(NIGHT)
    assert report.passed, (report.failures, report.findings)
    assert report.tests == 1
    assert report.tested == {("billing", "заявка в нерабочее время")}


def test_by_day_the_line_gets_the_session() -> None:
    report = run(
        case(
            'client: двойное списание\npress: Другое\nclient: "7707083893"\nclient: Где мой акт?\nsilent: true\n'
            "client: вы там?\nsilent: true\nline: returned\nbot: Вопрос решён\npress: Да",
            '{line: billing, outcome: решено оператором, client: {inn: "7707083893"}, asked: [тема, ИНН, вопрос]}',
            "{now: 2025-03-05 10:00}",
        )
    )
    assert report.passed, report.failures


@pytest.mark.parametrize(
    ("talk", "expect", "given", "line", "words"),
    [
        ("client: двойное списание\nbot: Нет такого", "", "", 4, ["Нет такого", "О чём вопрос?"]),
        ("client: спасибо\nbot: О чём", "", "", 4, ["О чём"]),
        ("client: двойное списание\nsilent: true", "", "", 4, ["О чём вопрос?"]),
        ("client: двойное списание\nbot: О чём\npress: Нет", "", "", 5, ["Нет", "Другое"]),
        ("client: двойное списание\nbuttons: [Раз]", "", "", 4, ["Раз", "Другое"]),
        ("client: двойное списание", "{outcome: готово}", "", 4, ["готово"]),
        ("client: двойное списание", "{line: billing}", "", 4, ["billing"]),
        ("client: двойное списание", "{ticket: {desk: billing}}", "", 4, []),
        ("client: двойное списание", "{asked: [вопрос]}", "", 4, ["вопрос", "тема"]),
        ("client: двойное списание", "{client: {name: Аня}}", "", 4, ["Аня"]),
        ("client: двойное списание\nline: returned", "", "", 4, []),
        ("client: вернуть товар 123456\nclient: 8 912 345-67-89", "", "", 4, ["shop.get_order"]),
        (
            "client: вернуть товар 123456\nclient: 8 912 345-67-89",
            "",
            "{requests: {shop.get_order: 5}}",
            5,
            ["get_order"],
        ),
        (
            "client: вернуть товар 123456\nclient: 8 912 345-67-89",
            "",
            "{requests: {shop.get_order: {нет: 1}}}",
            5,
            ["нет"],
        ),
    ],
)
def test_a_failure_tells_where_and_what(talk: str, expect: str, given: str, line: int, words: list[str]) -> None:
    report = run(case(talk, expect, given))
    assert not report.passed
    assert not report.findings
    failure = report.failures[0]
    assert failure.at.file == "flows/tests/billing.test.yaml"
    assert failure.at.line >= line
    assert all(word in failure.what for word in words), failure.what


@pytest.mark.parametrize(
    ("wanted", "right"),
    [
        ("{desk: general}", False),
        ("{desk: billing, title: Списали}", True),
        ("{title: Нет}", False),
        ("{text: 18}", True),
        ("{text: Нет}", False),
        ("{with: {ИНН: 5}}", False),
        ("{files: 0}", True),
        ("{files: 1}", False),
    ],
)
def test_tickets_are_compared_as_subsets(wanted: str, right: bool) -> None:
    text = NIGHT.replace("{desk: billing, with: {Срочность: высокая}}", wanted)
    assert run(text).passed == right


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("test: x", "L112", 1),
        ("- просто", "L112", 1),
        ("- test: x\n  talc: [{client: a}]", "L110", 2),
        ("- test: x\n  talk: []", "L112", 2),
        ("- test: x\n  talk:\n    - слово", "L112", 3),
        ("- test: x\n  talk:\n    - {client: a, bot: b}", "L120", 3),
        ("- test: x\n  talk:\n    - {buttons: {a: b}}", "L112", 3),
        ("- test: x\n  talk:\n    - clint: a", "L110", 3),
        ("- test: x\n  talk:\n    - wait: долго", "L113", 3),
        ("- test: x\n  given: {now: завтра}\n  talk: [{client: a}]", "L113", 2),
        ("- test: x\n  given: {line: {billing: спит}}\n  talk: [{client: a}]", "L113", 2),
        ("- test: x\n  talk: [{client: a}]\n  expect: готово", "L112", 3),
        ("- test: x\n  talk:\n    - clinet: a", "L110", 3),
        ("- test: x\n  talk:\n    - совсем: a", "L110", 3),
        ("- test: x\n  given: {requests: {shop.get_ordr: failed}}\n  talk: [{client: a}]", "L108", 2),
        ("- test: x\n  given: {line: {biling: open}}\n  talk: [{client: a}]", "L106", 2),
        ("- test: x\n  talk: [{client: a}]\n  expect: {line: biling}", "L106", 3),
        ("- test: x\n  talk: [{client: a}]\n  expect: {ticket: {desk: biling}}", "L109", 3),
        ("- test: [", "Y1", 1),
    ],
)
def test_mistakes_of_form_are_findings(text: str, code: str, line: int) -> None:
    report = run(text)
    assert not report.passed
    assert report.findings[0].at.line >= line
    (finding,) = report.findings  # one mistake is one finding
    assert finding.code.startswith(code)


def test_time_links_commands_events_and_files() -> None:
    report = run(
        "\n".join(
            [
                case("open: счёт\nbot: Счёт на ноль рублей\nclient: /pay\nbot: Счёт"),
                case("event: webhook.invoice\n  data: {amount: 7}\nbot: Счёт на **7** рублей").replace(
                    "    - event: webhook.invoice\n    -   data", "    - event: webhook.invoice\n      data"
                ),
                case(
                    "client: двойное списание\nwait: 20m\nbot: Вы ещё здесь\nwait: 25h\nsilent: true",
                    "{outcome: клиент замолчал}",
                ),
                case("event: ticket_solved\nbot: Заявка 1001 решена", "{outcome: решено}"),
                case('event: ticket_changed\nbot: "1001"'),
                case(
                    OUTSIDE + "send: {files: 2}\nbot: Создана",
                    "{ticket: {desk: outer, files: 2, priority: срочно}, outcome: создана}",
                ),
                case(
                    OUTSIDE + "send: {files: 1}\nbot: Отказ",
                    "{outcome: отказ}",
                    "{requests: {outer: failed}}",
                ),
                case(
                    "client: оператор\nline: done", f"{{line: support, outcome: {texts('ru')('closed by the line')}}}"
                ),
            ]
        )
    )
    assert report.passed, (report.failures, report.findings)
    assert report.tests == 8


def test_services_answer_call_by_call_and_lines_as_given() -> None:
    order = "{номер: 123456, дней_с_доставки: 3}"
    report = run(
        "\n".join(
            [
                case(
                    'client: вернуть товар\nclient: "123456"\nbot: не нашёлся\nclient: "123456"\nclient: 8 912 345-67-89\n'
                    "bot: Почему\npress: Не подошло\nclient: Просто не подошёл.\nclient: 8 912 345-67-89\nbot: Телефон",
                    "",
                    f"{{client: {{phone: +79123456789}}, requests: {{shop.get_order: [missing, {order}]}}}}",
                ),
                case(
                    "client: двойное списание\npress: Другое\nclient: Вопрос\nbot: Опишите",
                    "{line: billing}",
                    '{client: {inn: "7707083893"}, line: {billing: busy}}',
                ).replace("bot: Опишите", "bot: телефон"),
                case("client: оператор\nbot: Зову", "", "{line: {support: closed}}"),
            ]
        )
    )
    assert report.passed, (report.failures, report.findings)


def test_pieces_elapse_by_themselves() -> None:
    book = build(_bot=BOT.rstrip() + "\n  pause: 3s\n", **SHOP)
    text = case(
        'client: двойное списание\npress: Другое\nclient: "7707083893"\nclient: Раз\nclient: два\nsilent: true',
        "{line: billing, asked: [тема, инн, вопрос]}",
    )
    report = run_tests(book, {"tests/billing.test.yaml": text})
    assert report.passed, report.failures


def test_only_the_changed_flows_are_tested() -> None:
    files = {
        "tests/billing.test.yaml": NIGHT,
        "tests/hours.test.yaml": case("client: часы работы\nbot: с 9 до 18"),
        "tests/other.test.yaml": case("client: часы работы\nbot: с 9 до 18"),
        "data.yaml": "x",
    }
    assert run_tests(BOOK, files, open_at=nine_to_six).tests == 3
    assert run_tests(BOOK, files, {"hours"}).tests == 2
    assert run_tests(BOOK, files, {"hours"}).coverage.whole < run_tests(BOOK, files).coverage.whole


def test_the_report_names_steps_and_branches_without_a_test() -> None:
    report = run(NIGHT)
    missed = {
        (one.flow, one.step.partition(".")[0] if "choose" in one.step else one.step, one.event)
        for one in report.coverage.missed
    }
    assert ("billing", "choose", "") in missed
    assert ("billing", "handoff.billing", "next") in missed
    assert ("billing", "handoff.billing", "closed") not in missed
    assert ("billing", "ask.тема", "") not in missed
    assert 0 < report.coverage.share < 1
    assert all(one.at.file.startswith("flows/") for one in report.coverage.missed)


def test_nothing_to_cover_is_covered() -> None:
    assert run_tests(BOOK, {}, only=set()).coverage.share == 1.0


def test_a_channel_without_a_config_and_an_unknown_line() -> None:
    bare = msgspec.structs.replace(DEPLOYMENT, channels={})
    book = build(bare, **SHOP)
    report = run_tests(book, {"tests/x.test.yaml": case("client: оператор\nbot: Зову")})
    assert report.passed, report.failures
    report = run_tests(BOOK, {"tests/x.test.yaml": case("client: часы работы\nbot: с 9", "", "{channel: site}")})
    assert report.passed, report.failures
    assert "handoff: billing" in BILLING


def test_codes_can_be_played_and_no_code_is_known() -> None:
    offer = (
        "flow: Перейти\ntriggers: [{exact: [перейти]}]\nsteps:\n  - continue: Откройте другой.\n  - end: предложено\n"
    )
    book = build(offer=offer, **SHOP)
    talk = "client: перейти\nbot: Откройте\nbot: 7KMPX\nclient: 7KMPX-Q2WT5\nbot: Такого кода нет"
    report = run_tests(book, {"tests/x.test.yaml": case(talk, "{outcome: предложено}")})
    assert report.passed, report.failures
    wrong = run_tests(book, {"tests/x.test.yaml": case(talk.replace("Такого кода нет", "Готово"))})
    assert [failure.at.line for failure in wrong.failures] == [7]
