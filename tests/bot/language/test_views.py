"""Explanations, prose, diagram, translations, schema, reference, versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from bot.actions import ACTIONS
from bot.actions.choose import Choose
from bot.actions.say import Say
from bot.check import check
from bot.explain import explain
from bot.export import collect, compare, render_texts, text_key
from bot.graph import mermaid
from bot.loader import Mapping, Node, Scalar, Sequence, load
from bot.model import Action, Trigger
from bot.prose import read_aloud
from bot.reading import flow_ids, read, versions
from bot.schema import json_schema, reference
from bot.shapes import suggest
from bot.triggers import TRIGGERS
from core.findings import Finding
from tests.bot.language.house import DEPLOYMENT, examples, findings, library_of

FLOWS = Path(__file__).parents[3] / "flows"

# --- findings as people see them -------------------------------------------------------------------------------------


def planted(file: str, old: str, new: str) -> tuple[Finding, str]:
    sources = examples()
    sources[file] = sources[file].replace(old, new)
    found = findings(sources)
    assert len(found) == 1
    return found[0], sources[file]


QUOTED = [
    (
        "order_return.yaml",
        'if: причина != "',
        'if: причена != "',
        "flows/order_return.yaml:48:9    L161 the name «причена» is not given anywhere — perhaps «причина»?",
    ),
    (
        "order_return.yaml",
        '      Причина: "{{ причина }}"\n',
        "",
        "flows/order_return.yaml:56:5    L142 desk «returns» needs the field «Причина»",
    ),
    (
        "billing.yaml",
        "    closed:\n",
        "    closd:\n",
        "flows/billing.yaml:23:5         L110 step handoff: unknown key «closd» — perhaps «closed»?",
    ),
    (
        "order_return.yaml",
        "  - confirm: [",
        "  - say: Фото {{ фото }}\n  - confirm: [",
        "flows/order_return.yaml:52:18   L163 «фото» may still be empty here",
    ),
]


@pytest.mark.parametrize(("file", "old", "new", "line"), QUOTED, ids=["L161", "L142", "L110", "L163"])
def test_lines_of_the_language_reference(file: str, old: str, new: str, line: str) -> None:
    assert planted(file, old, new)[0].line("en") == line


def test_explanation_shows_the_mistake_and_the_mended_line() -> None:
    finding, text = planted("order_return.yaml", 'if: причина != "', 'if: причена != "')
    assert explain(finding, text, "en").split("\n") == [
        finding.line("en"),
        '   48 |   - if: причена != "Не подошло"',
        "      |         ^^^^^^^",
        "      = mended:",
        '   48 |   - if: причина != "Не подошло"',
    ]


def test_explanation_keeps_quotes() -> None:
    finding, text = planted("order_return.yaml", "- ask: фото", "- ask: 'фотто'")
    assert "   50 |       - ask: 'фото'" in explain(finding, text, "en").split("\n")


def test_explanation_shows_what_to_add() -> None:
    finding, text = planted("order_return.yaml", '      Причина: "{{ причина }}"\n', "")
    assert explain(finding, text, "en").split("\n")[-2:] == ["      = to add:", "    + |       Причина: …"]


def test_explanation_of_a_place_behind_the_file() -> None:
    finding, _ = planted("order_return.yaml", "- ask: фото", "- ask: фотто")
    assert explain(finding, "", "en") == finding.line("en")


@pytest.mark.parametrize(("word", "close"), [("closd", "closed"), ("Busy", "busy"), ("xyz", ""), ("", "")])
def test_suggestions_are_close(word: str, close: str) -> None:
    assert suggest(word, ["closed", "busy", "note"]) == close


# --- prose and diagram -----------------------------------------------------------------------------------------------


def test_flow_read_aloud() -> None:
    library = library_of(examples())
    said = read_aloud(library.flows["order_return"], library, "en")
    for part in (
        "Возврат товара\n==============\n",
        "  - presses «Вернуть товар»\n",
        "1. If not заказ:\n   1. Run the flow «Поиск заказа».",
        "      «Это брак»: go on.",
        "   Причина: «Почему возвращаете?» (choice; Брак или поломка, Привезли не то, Не подошло)",
        "Номер заказа = ‹заказ.номер›",
        "9. End: заявка создана.",
    ):
        assert part in said


EVERYTHING = """
flow: Всё сразу
about: Каждое действие и каждый триггер.
triggers:
  - button: Всё
  - words: [всё сразу]
  - exact: ["всё"]
  - pattern: 'всё (?P<имя>\\w+)'
  - command: /all
  - link: all
  - event: message
    where: message.text == "всё"
takes: {кто: {type: text, default: гость}}
gives: [имя]
fields:
  имя: {label: Имя, ask: Как вас зовут?, from: client.name, keep: client.name}
  снимок: {label: Снимок, type: photo, ask: Снимок?, optional: true}
steps:
  - step: начало
    say: {text: "Привет, {{ кто }} | <b>#1</b>", attach: [снимок], links: {Сайт: "https://example.org"}}
  - ask: [имя, снимок]
  - confirm: имя
  - if: имя == "А"
    then: [{say: А}]
    elif: [{if: имя == "Б", then: [{say: Б}]}]
    else: [{goto: начало}]
  - set: {новое: "{{ имя }}"}
  - request: shop.get_order
    with: {number: "1", phone: "2"}
    save: заказ
    missing: [{fail: нет}]
    failed: [{fail: сбой}]
  - ticket: outer
    title: Заявка {{ имя }}
    with: {Имя: "{{ имя }}"}
    failed: [{end: отказ}]
  - call: to_operator
    with: {}
    failed: [{end: не вышло}]
  - handoff: night
    busy: [{end: занято}]
  - choose: Дальше?
    options:
      - {button: Да, if: имя == "А"}
      - {button: Нет, then: [{end: нет}]}
  - end: готово
""".replace("    with: {}\n", "")


def everything() -> dict[str, str]:
    return examples() | {"all.yaml": EVERYTHING}


def test_every_action_and_trigger_is_told_and_drawn() -> None:
    library = library_of(everything())
    assert check(library, DEPLOYMENT) == []
    flow = library.flows["all"]
    said, drawn = read_aloud(flow, library, "en"), mermaid(flow, library, "en")
    assert "or something happens: message, if message.text ==" in said
    assert "If nobody takes it in time:" in said
    assert 'Or if имя == "Б":' in said
    assert "(photo; may be skipped)" in said
    assert drawn.startswith(
        'flowchart TD\n  start(["Всё сразу"])\n  n1["начало: Привет, ‹кто› #124; #lt;b#gt;#35;1#lt;/b#gt;"]'
    )
    assert "<b>" not in drawn
    boxes = [line for line in drawn.split("\n") if line.startswith("  n") and "-->" not in line]
    assert len(boxes) == 20
    arrows = [line for line in drawn.split("\n") if "-->" in line]
    assert '  n4 -->|"имя == #quot;Б#quot;"| n13' in arrows
    assert "  n14 --> n1" in arrows


# --- translations ----------------------------------------------------------------------------------------------------


def test_texts_are_collected_by_flow_step_and_source() -> None:
    texts = collect(library_of(everything()))
    assert texts[text_key("all", "имя", "Как вас зовут?")] == "Как вас зовут?"
    assert text_key("all", "", "Дальше?") in texts
    assert text_key("_bot", "policy", "Вы ещё здесь? {{ question }}") in texts
    assert not [key for key in texts if "shop.get_order" in key]


def test_translations_survive_and_stale_ones_are_marked() -> None:
    sources = examples()
    sources["_texts/en.yaml"] = (
        "menu:\n  - source: Чем помочь?\n    text: How can we help?\n  - source: Давно забыто\n    text: Long forgotten\n"
    )
    library = library_of(sources)
    assert library.texts["en"][text_key("menu", "", "Чем помочь?")] == "How can we help?"
    found = compare(library, "en")
    assert [entry.text for entry in found if entry.text] == ["How can we help?", "Long forgotten"]
    assert [entry.source for entry in found if entry.stale] == ["Давно забыто"]
    rendered = render_texts(found)
    assert '    text: "Long forgotten"\n    stale: true\n' in rendered
    again = library_of(sources | {"_texts/en.yaml": rendered})
    assert again.texts == library.texts
    assert render_texts(compare(again, "en")) == rendered


def test_bot_of_another_language_speaks_its_translation() -> None:
    sources = everything()
    english = replace(DEPLOYMENT, language="en")
    sources["_texts/en.yaml"] = (
        "all:\n  - {step: начало, source: 'Привет, {{ кто }} | <b>#1</b>', text: 'Hello, {{ кто }}'}\n"
        "  - {step: имя, source: Как вас зовут?, text: What is your name?}\n  - {source: Нет, text: 'No'}\n"
        "  - {source: Всё, text: Everything}\n_bot:\n"
        "  - {step: policy, source: 'Не получилось разобрать ответ.', text: 'Sorry?'}\n"
    )
    library, found = read(sources, english)
    assert library is not None
    assert [*found, *check(library, english)] == []
    flow = library.flows["all"]
    say, choose = flow.steps[0], flow.steps[9]
    assert isinstance(say, Say)
    assert isinstance(choose, Choose)
    assert say.text.source == "Hello, {{ кто }}"
    assert [way.button for way in choose.options] == ["Да", "No"]
    assert flow.fields["имя"].ask.source == "What is your name?"
    assert library.bot.policy.wrong is not None
    assert library.bot.policy.wrong.source == "Sorry?"
    assert {type(trigger).__name__: getattr(trigger, "label", "") for trigger in flow.triggers}[
        "Button"
    ] == "Everything"
    plain_library, _ = read(sources, english, translate=False)
    assert plain_library is not None
    assert text_key("all", "имя", "Как вас зовут?") in collect(plain_library)


def test_mistake_in_a_translation_is_shown_there() -> None:
    sources = examples() | {"_texts/en.yaml": "menu:\n  - source: Чем помочь?\n    text: Help {{ you }}?\n"}
    found = findings(sources, replace(DEPLOYMENT, language="en"))
    assert [(f.at.file, f.at.line, f.at.column, f.code) for f in found] == [("flows/_texts/en.yaml", 3, 11, "L161")]


def test_mistakes_in_translations_have_places() -> None:
    sources = examples() | {"_texts/en.yaml": "menu: привет\nbilling:\n  - текст\n  - text: hello\n"}
    assert [(f.at.line, f.at.column, f.code) for f in findings(sources)] == [
        (1, 7, "L112"),
        (3, 5, "L112"),
        (4, 5, "L111"),
    ]


# --- schema and reference --------------------------------------------------------------------------------------------


def plain(node: Node | None) -> Any:
    """Nodes as JSON values."""
    if isinstance(node, Mapping):
        return {name: plain(value) for name, (_, value) in node.items.items()}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return node.value if isinstance(node, Scalar) else None


def value_of(text: str) -> Any:
    return plain(load(text, "x", lambda finding: pytest.fail(finding.line("en"))))


def test_schema_takes_the_examples() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for text in everything().values():
        jsonschema.validate(value_of(text), schema)


@pytest.mark.parametrize("path", sorted(FLOWS.rglob("*.test.yaml")), ids=lambda path: path.name)
def test_schema_takes_the_tests_of_the_demo(path: Path) -> None:
    """It is made from the declarations that read them, so an editor underlines nothing that works."""
    jsonschema.validate(value_of(path.read_text("utf-8")), json_schema())


@pytest.mark.parametrize(
    "text",
    [
        "flow: А\n",
        "flow: А\nsteps:\n  - sey: Б\n",
        "flow: А\nsteps:\n  - say: Б\n    tex: В\n",
        "bot: А\n",
        "- тест: А\n",
        "- test: А\n  flow: б\n  talk: [{client: В}]\n",
        "- test: А\n  talk: [{client: В, сказал: Г}]\n",
        "- test: А\n  talk: [{client: В}]\n  expect: {тикет: 1}\n",
    ],
)
def test_schema_refuses_mistakes(text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value_of(text), json_schema())


def test_every_kind_is_in_schema_and_reference() -> None:
    told = reference()
    steps = json_schema()["$defs"]["step"]["anyOf"]
    assert len(steps) == len(ACTIONS)
    kinds: list[type[Action] | type[Trigger]] = [*ACTIONS, *TRIGGERS]
    for kind in kinds:
        assert f"### `{kind.word}`" in told
        assert kind.about
        assert kind.keys
        assert all(key.about for key in kind.keys)


# --- versions --------------------------------------------------------------------------------------------------------


def changed(file: str, old: str, new: str) -> set[str]:
    before, after = examples(), examples()
    after[file] = after[file].replace(old, new)
    assert after != before
    first, second = (versions(library_of(sources), sources) for sources in (before, after))
    assert all(len(version) == 12 for version in first.values())
    return {name for name in first if first[name] != second[name]}


def test_version_changes_with_the_flow_and_its_callers() -> None:
    assert changed("find_order.yaml", "Поиск заказа", "Поиск") == {"find_order", "order_return", "menu"}


def test_version_changes_with_the_flows_of_its_policy() -> None:
    assert changed("to_operator.yaml", "вернули боту", "вернули") == set(flow_ids(examples()))


def test_version_changes_with_shared_files_only_where_they_are_read() -> None:
    assert changed("_bot.yaml", "attempts: 3", "attempts: 4") == set(flow_ids(examples()))
    assert changed("tests/billing.test.yaml", "Ночью", "Днём") == set()


def test_flow_ids_are_paths() -> None:
    assert flow_ids(
        {"a/b.yaml": "", "_bot.yaml": "", "_texts/en.yaml": "", "tests/a.test.yaml": "", "data/x.csv": ""}
    ) == ["a/b"]


def test_outcome_that_no_test_expects_is_a_warning() -> None:
    library, _ = read(examples(), DEPLOYMENT)
    assert library is not None
    found = check(library, DEPLOYMENT, {("billing", "решено оператором"), ("billing", "не решено")})
    assert [(f.at.file, f.at.line, f.at.column, f.code, f.level) for f in found if "billing" in f.at.file] == [
        ("flows/billing.yaml", 31, 14, "L180", "warning")
    ]
    assert not [f for f in found if "find_order" in f.at.file]


def test_boxes_hold_names_without_marks_and_filters() -> None:
    said = "Итого **{{ сумма | money }}**, {{ дней | plural('день', 'дня', 'дней') }}"
    text = f'flow: Сумма\nsteps:\n  - say: "{said}"\n  - end: готово\n'
    library = library_of(examples() | {"total.yaml": text})
    assert 'n1["Итого ‹сумма›, ‹дней›"]' in mermaid(library.flows["total"], library, "en")
