"""One planted mistake of every kind is one finding, with its code, at the exact line and column."""

from __future__ import annotations

import pytest

from tests.bot.language.house import Planted, examples, findings, found_places

ORDER, RETURN, BILLING, BOT = "find_order.yaml", "order_return.yaml", "billing.yaml", "_bot.yaml"
TICKET = "  - ticket: returns\n"
SHORT = "flow: Проба\nsteps:\n"


def probe(code: str, steps: str) -> Planted:
    """A mistake in the steps of a small flow of its own."""
    return Planted(code, "probe.yaml", "", SHORT + steps)


YAML = [
    Planted("Y101", "probe.yaml", "", "flow: ▸'Проба\nsteps: [{end: готово}]\n"),
    Planted("Y101", ORDER, "gives: [заказ]", "gives: ▸[заказ"),
    Planted("Y101", RETURN, "    max_files: 5", "▸\tmax_files: 5"),
    Planted("Y101", RETURN, "ask: Опишите, что случилось.", "ask: Опишите▸: что случилось."),
    Planted("Y102", RETURN, "about: Собирает", "▸flow: Ещё раз\nabout: Собирает"),
    Planted("Y103", RETURN, "min: 10", "min: ▸&ten 10"),
    Planted("Y103", RETURN, "min: 10", "min: ▸*ten"),
    Planted("Y104", RETURN, "min: 10", "min: ▸!!int 10"),
    Planted("Y105", "probe.yaml", "", "▸# " + "x" * 256 * 1024),
    Planted("Y106", "probe.yaml", "", "flow: " + "[" * 29 + "▸[" + "]" * 30),
    Planted("Y107", "probe.yaml", "", "▸[a, b]: 1\nflow: Проба\nsteps: [{end: готово}]\n"),
]
REFERENCES = [
    Planted("L104", ORDER, "- goto: спросить номер", "- goto: ▸спросить номерр"),
    Planted("L105", RETURN, "- call: find_order", "- call: ▸find_ordr"),
    Planted("L105", BOT, "welcome: menu", "welcome: ▸menyu"),
    Planted("L106", BILLING, "- handoff: billing", "- handoff: ▸biling"),
    Planted("L106", BILLING, "{{ line.billing.opens_at", "{{ line.▸biling.opens_at"),
    Planted("L107", RETURN, "- ask: фото", "- ask: ▸фотто"),
    Planted("L107", RETURN, "confirm: [причина, описание,", "confirm: [причина, ▸описанье,"),
    Planted("L107", RETURN, "attach: [фото]", "attach: [▸фотки]"),
    Planted("L107", RETURN, "  - link: возврат-qr", "  - pattern: ▸'заказ\\s+(?P<номер>\\d+)'"),
    Planted("L108", ORDER, "- request: shop.get_order", "- request: ▸shop.get_ordr"),
    Planted("L108", RETURN, "type: shop.get_order", "type: ▸shop.get_ordr"),
    Planted("L109", RETURN, "- ticket: returns", "- ticket: ▸return"),
]
KEYS = [
    Planted("L110", BILLING, "    closed:\n", "    ▸closd:\n"),
    Planted("L110", RETURN, "    max_files: 5", "    ▸max_file: 5"),
    Planted("L110", RETURN, "    min: 10", "    ▸max_files: 2"),
    Planted("L110", RETURN, "fields:\n", "▸interupts: never\nfields:\n"),
    Planted("L110", ORDER, "with: {number:", "with: {▸numbr:"),
    Planted("L110", BOT, "  attempts: 3", "  ▸attemps: 3"),
    Planted("L110", RETURN, "      - call: find_order\n", "      - call: find_order\n        with: {▸чужое: 1}\n"),
    Planted("L111", RETURN, "    label: Причина\n    type: choice", "    ▸type: choice"),
    Planted(
        "L111",
        BILLING,
        "    label: Тема\n    type: choice\n    ask: О чём вопрос?\n"
        "    options: [Счёт или акт, Платёж не дошёл, Списали дважды, Другое]\n",
        "    ▸label: Тема\n    type: choice\n    ask: О чём вопрос?\n",
    ),
    Planted(
        "L111", RETURN, "  - ticket: returns\n    title: Возврат заказа {{ заказ.номер }}\n", "  - ▸ticket: returns\n"
    ),
    Planted("L111", ORDER, 'with: {number: "{{ номер_заказа }}", phone:', "▸with: {phone:"),
    Planted("L112", RETURN, "    min: 10", "    min: ▸десять"),
    Planted("L112", RETURN, "max_files: 5", "max_files: ▸много"),
    Planted("L112", RETURN, "    private: true", "    private: ▸yes"),
    Planted("L112", ORDER, "gives: [заказ]", "gives: ▸заказ"),
    Planted("L112", ORDER, "label: Номер заказа", "label: ▸[Номер заказа]"),
    Planted("L112", "probe.yaml", "", "▸"),
    Planted("L112", "probe.yaml", "", "▸- say: привет\n"),
    probe("L112", "  - ▸привет\n  - end: готово\n"),
    Planted("L113", RETURN, "type: photo", "type: ▸foto"),
    Planted("L113", BOT, "after: 15m", "after: ▸15 минут"),
    Planted("L113", BILLING, "webhook.invoice_overdue", "▸webhok"),
    Planted("L113", RETURN, "attach: [фото]", "attach: [▸описание]"),
    Planted("L113", RETURN, "attach: [фото]", "attach: [фото, ▸описание]"),
    Planted("L113", RETURN, "attach: [фото]", "attach: ▸описание"),
    Planted("L113", RETURN, "    keep: client.phone", "    keep: ▸телефон"),
    probe("L113", "  - set: {▸моя заявка: 1}\n  - end: готово\n"),
    Planted("L114", RETURN, "Привезли не то, Не подошло]", "Не подошло, ▸Не подошло]"),
    Planted("L114", RETURN, "Привезли не то, Не подошло]", "Не подошло, ▸не подошло!]"),
    Planted("L114", RETURN, "- button: Это брак", "- button: Это брак\n          - button: ▸это брак"),
    Planted("L114", ORDER, "  - end: заказ найден", "  - end: заказ найден\n    step: ▸спросить номер"),
    Planted("L114", "probe.yaml", "", "flow: Проба\nfields:\n  ▸client: {label: А, ask: Б}\nsteps:\n  - end: готово\n"),
]
STEPS = [
    Planted("L120", RETURN, "  - ask: телефон\n", "  - ask: телефон\n    ▸say: Спасибо\n"),
    Planted("L120", RETURN, "  - ask: телефон\n", "  - ask: телефон\n  - ▸sey: Спасибо\n"),
    Planted("L120", RETURN, "  - ask: телефон\n", "  - ask: телефон\n  - ▸step: пусто\n"),
    Planted("L120", RETURN, "  - link: возврат-qr", "  - ▸lnk: возврат-qr"),
    Planted("L120", BOT, "    - after: 15m\n      say:", "    - after: 15m\n      end: пора\n      ▸say:"),
    Planted("L130", RETURN, "- button: Это брак", "- button: ▸" + "Это брак " * 5),
    Planted("L130", BILLING, "Списали дважды, Другое]", "Списали дважды, ▸" + "Другое" * 8 + "]"),
    Planted("L130", RETURN, "  - button: Вернуть товар", "  - button: ▸" + "Вернуть товар " * 3),
]
REMOTE = [
    probe("L141", "  - ▸handoff: night\n  - end: готово\n"),
    Planted("L141", "probe.yaml", "", SHORT + "  - ▸handoff: billing\n  - end: готово\n"),
    Planted(
        "L142",
        RETURN,
        '    with:\n      Номер заказа: "{{ заказ.номер }}"\n      Причина: "{{ причина }}"\n',
        '    ▸with:\n      Номер заказа: "{{ заказ.номер }}"\n',
    ),
    Planted("L142", RETURN, 'Причина: "{{ причина }}"', '▸Причны: "{{ причина }}"'),
    Planted(
        "L142",
        "probe.yaml",
        "",
        SHORT + "  - ticket: returns\n    title: Возврат\n    ▸with: {Номер заказа: '1'}\n  - end: готово\n",
    ),
]
WAYS = [
    Planted(
        "L150",
        RETURN,
        "  - say: Готово! Заявка **{{ заявка.номер }}** создана, ответим в течение дня.\n  - end: заявка создана\n",
        "  - ▸say: Готово!\n",
    ),
    Planted(
        "L151", RETURN, "  - end: заявка создана\n", "  - end: заявка создана\n  - ▸say: Ещё одно.\n  - end: всё\n"
    ),
    Planted("L151", ORDER, "      - goto: спросить номер\n", "      - goto: спросить номер\n      - ▸say: Ау\n"),
    probe("L152", "  - step: начало\n    say: Привет\n  - goto: ▸начало\n"),
    probe(
        "L152", "  - step: начало\n    set: {а: 1}\n  - if: а == 1\n    then:\n      - goto: ▸начало\n  - end: готово\n"
    ),
]
NAMES = [
    Planted("L160", RETURN, "if: заказ.дней_с_доставки > 14", "if: заказ.дней_с_доставки > ▸* 14"),
    Planted("L161", RETURN, 'if: причина != "Не подошло"', 'if: ▸причена != "Не подошло"'),
    Planted("L161", RETURN, "title: Возврат заказа {{ заказ.номер }}", "title: Возврат заказа {{ ▸закас.номер }}"),
    Planted("L161", ORDER, "gives: [заказ]", "gives: [заказ, ▸закас]"),
    Planted("L161", BILLING, "      {{ вопрос }}\n", "      {{ ▸вапрос }}\n"),
    Planted("L161", BOT, "Вы ещё здесь? {{ question }}", "Вы ещё здесь? {{ ▸причина }}"),
    Planted("L162", RETURN, 'Номер заказа: "{{ заказ.номер }}"', 'Номер заказа: "{{ заказ.▸номир }}"'),
    Planted("L162", RETURN, "{{ заявка.номер }}", "{{ заявка.▸нумер }}"),
    Planted("L162", BILLING, "line.billing.opens_at", "line.billing.▸opens"),
    Planted(
        "L163",
        RETURN,
        "  - ask: [причина, описание]\n",
        "  - say: Итак, {{ ▸описание }}.\n  - ask: [причина, описание]\n",
    ),
    Planted(
        "L163",
        RETURN,
        "Готово! Заявка **{{ заявка.номер }}**",
        "Готово! {{ заказ.номер }}, {{ ▸заказ.трек }} **{{ заявка.номер }}**",
    ),
    Planted("L163", RETURN, "Готово! Заявка", "Готово, {{ ▸client.name }}! Заявка"),
    Planted("L162", RETURN, "Готово! Заявка", "Готово, {{ client.▸возраст }}! Заявка"),
    Planted("L163", BILLING, "{{ тема }} ({{ срочность }}). ИНН {{ инн }}.", "{{ тема }} {{ ▸event.сумма }}"),
    Planted("L163", ORDER, "      - fail: магазин не отвечает\n", "      - ▸end: магазин не отвечает\n"),
    Planted("L164", RETURN, 'if: причина != "Не подошло"', 'if: ▸пpичина != "Не подошло"'),
    Planted("L164", RETURN, "{{ заявка.номер }}", "{{ заявка.▸нoмер }}"),
    Planted("L165", ORDER, "pattern: '(?:ORD-)?(\\d{6,8})'", "pattern: '▸(?:ORD-)?(\\d{6,8}'"),
]
PHRASES = [
    Planted("L171", RETURN, "оформить возврат]", "оформить возврат, ▸вернуть товар обратно]"),
    Planted("L172", BILLING, "Списали дважды, Другое]", "Списали дважды, ▸Оператор]"),
    Planted("L190", "probe.yaml", "", SHORT + "  - call: ▸probe\n  - end: готово\n"),
]

FIELDS = "flow: Проба\nfields:\n  а: {label: А, ask: Б}\n"
END = "steps:\n  - ask: а\n  - end: готово\n"


def head(code: str, part: str) -> Planted:
    """A mistake in the head of a small flow that asks for `а`."""
    return Planted(code, "probe.yaml", "", f"{FIELDS}{part}{END}")


def field(code: str, part: str) -> Planted:
    """A mistake in a second field."""
    return head(code, f"  б: {part}\n")


SHAPES = [
    field("L112", "▸нет"),
    field("L112", "{label: В, ask: ▸[]}"),
    field("L112", "{label: В, ask: Г, pattern: ▸[]}"),
    field("L112", "{label: В, ask: Г, check: ▸верно}"),
    field("L112", "{label: В, ask: Г, check: [{must: ▸[], else: Нет}]}"),
    field("L113", "{label: В, ask: Г, min: 5, max: ▸3}"),
    field("L113", "{label: В, ask: Г, attempts: ▸0}"),
    field("L112", "{label: В, ask: Г, keep: ▸[]}"),
    field("L113", "{label: ▸" + "В" * 4097 + ", ask: Г}"),
    field("L161", "{label: В, ask: Г, check: [{must: value > ▸гг, else: Нет}]}"),
    field("L161", "{label: В, ask: 'Г {{ ▸value }}'}"),
    head("L112", "takes: {в: ▸text}\n"),
    head("L112", "takes: ▸текст\n"),
    head("L113", "takes: {в: {type: ▸txt}}\n"),
    head("L112", "takes: {в: {type: text, default: ▸[]}}\n"),
    head("L112", "triggers: [▸привет]\n"),
    head("L112", "triggers: [{button: ▸[]}]\n"),
    head("L120", "triggers: [{button: А, ▸command: /а}]\n"),
    head("L112", "policy: ▸нет\n"),
    head("L112", "policy: {silence: [▸нет]}\n"),
    head("L161", "triggers: [{event: message, where: ▸нет > 1}]\n"),
    head("L162", "triggers: [{event: message, where: message.▸txt}]\n"),
    head("L164", "policy: {wrong: 'Нет {{ ▸зaказ }}'}\n"),
    probe("L104", "  - goto: ▸нигде\n  - end: готово\n"),
    probe("L112", "  - goto: ▸[]\n  - end: готово\n"),
    probe("L112", "  - set: {▸'': 1}\n  - end: готово\n"),
    probe("L112", "  - if: ▸[]\n    then: [{end: да}]\n  - end: готово\n"),
    probe("L112", "  - if: now\n    then: ▸да\n  - end: готово\n"),
    probe("L112", "  - say: {text: ▸[]}\n  - end: готово\n"),
    probe("L113", "  - say: {text: А, per_channel: {▸pigeon: Б}}\n  - end: готово\n"),
    probe("L151", "  - end: всё\n  - ▸if: now\n    then:\n      - say: А\n  - end: готово\n"),
]
ALL = [*YAML, *REFERENCES, *KEYS, *STEPS, *REMOTE, *WAYS, *NAMES, *PHRASES, *SHAPES]

TAKER = "flow: Берёт\ntakes: {кто: {type: text}}\nsteps:\n  - say: Привет, {{ кто }}!\n  - end: готово\n"


def name(planted: Planted) -> str:
    return f"{planted.code} {planted.file} {planted.new[:30]!r}"


def test_examples_are_without_findings() -> None:
    assert findings(examples()) == []


@pytest.mark.parametrize("planted", ALL, ids=name)
def test_planted_mistake_is_one_finding_at_its_place(planted: Planted) -> None:
    sources, places = planted.sources()
    found = findings(sources)
    assert found_places(found) == places, [finding.line("en") for finding in found]
    for finding in found:
        assert finding.level == ("warning" if planted.code in ("L171", "L172", "L180") else "error")


def test_every_code_is_planted() -> None:
    codes = {planted.code for planted in ALL} | {"L140", "L170", "L180", "Y100"}
    expected = {f"Y10{n}" for n in range(8)} | {f"L10{n}" for n in range(4, 10)} | {f"L11{n}" for n in range(5)}
    expected |= {"L120", "L130", "L140", "L141", "L142", "L150", "L151", "L152", "L160", "L161", "L162", "L163", "L164"}
    assert codes == expected | {"L165", "L170", "L171", "L172", "L180", "L190"}


SILENT = [
    probe("", "  - set: {а: 1, б: '{{ а + 1 }}'}\n  - say: '{{ б }}'\n  - end: готово\n"),
    probe("", "  - choose: Да?\n    options: [{button: Да, if: now}, {button: Да, if: not now}]\n  - end: готово\n"),
]


@pytest.mark.parametrize("sound", SILENT, ids=lambda sound: sound.new[20:60])
def test_what_is_no_mistake_is_left_alone(sound: Planted) -> None:
    assert findings(sound.sources()[0]) == []


def without_policy_failed() -> dict[str, str]:
    sources = examples()
    sources["_bot.yaml"] = sources["_bot.yaml"].replace(
        "  failed:\n    - call: to_operator\n    - end: передано людям\n", ""
    )
    return sources


def test_request_that_nothing_answers() -> None:
    sources = without_policy_failed()
    sources["find_order.yaml"] = sources["find_order.yaml"].replace(
        "    failed:\n      - fail: магазин не отвечает\n", ""
    )
    assert found_places(findings(sources)) == [("flows/find_order.yaml", 21, 5, "L140")]


def test_ticket_can_fail_on_an_outer_desk_only() -> None:
    sources = without_policy_failed()
    sources["probe.yaml"] = SHORT + "  - ticket: outer\n    title: Беда\n  - end: готово\n"
    assert found_places(findings(sources)) == [("flows/probe.yaml", 3, 5, "L140")]


def test_missing_input_of_a_call() -> None:
    sources = examples() | {"taker.yaml": TAKER, "probe.yaml": SHORT + "  - call: taker\n  - end: готово\n"}
    assert found_places(findings(sources)) == [("flows/probe.yaml", 3, 5, "L111")]


def test_one_phrase_in_two_flows_is_told_at_both_places() -> None:
    sources = examples()
    sources["billing.yaml"] = sources["billing.yaml"].replace(
        "акт сверки,", "возврат товар, акт сверки, верните товары,"
    )
    sources["order_return.yaml"] = sources["order_return.yaml"].replace("вернуть товар,", "товара возврат,")
    assert found_places(findings(sources)) == [
        ("flows/billing.yaml", 6, 44, "L170"),
        ("flows/order_return.yaml", 6, 13, "L170"),
    ]


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("button", "Вернуть товар", "вернуть товар!"),
        ("exact", "['1']", "['1.']"),
        ("command", "/go", "/GO"),
        ("link", "акция", "akciya"),
        ("event", "first_message", "first_message"),
        ("pattern", "'№\\d+'", "'№\\d+'"),
    ],
)
def test_every_trigger_belongs_to_one_flow(kind: str, one: str, other: str) -> None:
    head = "flow: Проба\ntriggers:\n  - "
    tail = "\nsteps:\n  - end: готово\n"
    sources = {name: text for name, text in examples().items() if name not in ("order_return.yaml", "menu.yaml")}
    sources |= {"menu.yaml": SHORT + "  - end: готово\n"}
    sources |= {"a.yaml": f"{head}{kind}: {one}{tail}", "b.yaml": f"{head}{kind}: {other}{tail}"}
    column = len(f"  - {kind}: ") + 1 + (1 if kind == "exact" else 0)
    assert found_places(findings(sources)) == [
        ("flows/a.yaml", 3, column, "L170"),
        ("flows/b.yaml", 3, column, "L170"),
    ]


def test_circle_is_told_at_every_call_of_it() -> None:
    sources = examples()
    sources["find_order.yaml"] = sources["find_order.yaml"].replace(
        "  - end: заказ найден", "  - call: order_return\n  - end: заказ найден"
    )
    found = findings(sources)
    assert found_places(found) == [
        ("flows/find_order.yaml", 29, 11, "L190"),
        ("flows/order_return.yaml", 36, 15, "L190"),
    ]
    assert found[0].values["circle"] == "find_order → order_return → find_order"


def test_policy_of_a_flow_counts_for_circles() -> None:
    sources = examples()
    sources["probe.yaml"] = (
        "flow: Проба\npolicy:\n  silence:\n    - after: 5m\n      call: probe\nsteps:\n"
        "  - choose: Да?\n    options:\n      - button: Да\n  - end: готово\n"
    )
    assert found_places(findings(sources)) == [("flows/probe.yaml", 5, 13, "L190")]


def test_policy_does_not_run_inside_the_operator_flow() -> None:
    sources = examples()
    sources["to_operator.yaml"] = (
        "flow: Оператор\nsteps:\n  - choose: Позвать?\n    options: [{button: Да}]\n"
        "  - handoff: support\n  - end: готово\n"
    )
    assert findings(sources) == []


def test_missing_bot_file() -> None:
    sources = examples()
    del sources["_bot.yaml"]
    assert found_places(findings(sources)) == [("flows/_bot.yaml", 1, 1, "L111")]


def test_several_mistakes_are_told_at_once() -> None:
    sources = examples()
    text = sources["order_return.yaml"]
    for old, new in (
        ("type: photo", "type: foto"),
        ("- ask: фото", "- ask: фотто"),
        ("if: причина", "if: причена"),
        ("ticket: returns", "ticket: return"),
        ("call: find_order", "call: find_ordr"),
        ("  - ask: телефон", "  - sey: телефон"),
    ):
        text = text.replace(old, new)
    sources["order_return.yaml"] = text
    assert [finding.code for finding in findings(sources)] == ["L113", "L105", "L161", "L107", "L120", "L109"]
