"""Texts: formatting first, values after, marks in the right places, values never markup."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.formatting import parse_formatting
from bot.heard import heard
from bot.templates import parse_template
from core.events import Message
from core.findings import Finding
from core.locale import texts
from core.rich import Mark, Rich
from tests.bot.leaves.make import AT, here, template

Marks = list[tuple[str, str]]


def marked(rich: Rich) -> Marks:
    """(kind, text under it) of every mark."""
    return [(mark.kind, rich.text[mark.start : mark.end]) for mark in rich.marks]


@pytest.mark.parametrize(
    ("source", "text", "marks"),
    [
        ("**жирный** и _курсив_", "жирный и курсив", [("bold", "жирный"), ("italic", "курсив")]),
        ("`код **не** _он_`", "код **не** _он_", [("code", "код **не** _он_")]),
        ("**a _b_ `c`**", "a b c", [("bold", "a b c"), ("italic", "b"), ("code", "c")]),
        ("[сюда](https://x.ru/a_b?c=1)", "сюда", [("link", "сюда")]),
        ("[**сюда**](https://x.ru/(a))", "сюда", [("bold", "сюда"), ("link", "сюда")]),
        ("[a](tel:+7999) [b](mailto:a@b.ru) [c](http://x.ru)", "a b c", [("link", "a"), ("link", "b"), ("link", "c")]),
        ("🙂 **жирный** 🙂 _да_", "🙂 жирный 🙂 да", [("bold", "жирный"), ("italic", "да")]),
        ("(_да_), «_нет_»!", "(да), «нет»!", [("italic", "да"), ("italic", "нет")]),
        ("**да**нет", "данет", [("bold", "да")]),
        ("** да **", "** да **", []),
        ("**да", "**да", []),
        ("****", "****", []),
        ("2 * 2 * 2", "2 * 2 * 2", []),
        ("номер_заказа_1", "номер_заказа_1", []),
        ("_да_нет", "_да_нет", []),
        ("_ да_", "_ да_", []),
        ("__", "__", []),
        ("_", "_", []),
        ("``", "``", []),
        ("`да", "`да", []),
        ("**да\nнет**", "**да\nнет**", []),
        ("[](https://x.ru)", "[](https://x.ru)", []),
        ("[a](javascript:alert(1))", "[a](javascript:alert(1))", []),
        ("[a](ftp://x)", "[a](ftp://x)", []),
        ("[a] (https://x.ru)", "[a] (https://x.ru)", []),
        ("[a](https://x.ru", "[a](https://x.ru", []),
        ("[a](https://x\u202e.ru)", "[a](https://x\u202e.ru)", []),
        ("[a", "[a", []),
        (r"\*\*не жирный\*\* \_ \` \[ \\ \n", r"**не жирный** _ ` [ \ \n", []),
        (r"**a\** b", "**a** b", []),
        (r"_a\_ b_", "a_ b", [("italic", "a_ b")]),
        ("https://x.ru/_a_/**b", "https://x.ru/_a_/**b", []),
        ("**https://x.ru**", "https://x.ru", [("bold", "https://x.ru")]),
        ("h hh http", "h hh http", []),
    ],
)
def test_formatting(source: str, text: str, marks: Marks) -> None:
    rich = parse_formatting(source)
    assert rich.text == text
    assert sorted(marked(rich)) == sorted(marks)


@given(st.text(alphabet="*_`[]() \\\nah:/t.ps1🙂", max_size=60) | st.text(max_size=60))
def test_formatting_of_any_text_keeps_marks_inside(source: str) -> None:
    rich = parse_formatting(source)
    assert all(0 <= mark.start < mark.end <= len(rich.text) for mark in rich.marks)
    assert len(rich.text) <= len(source)


@pytest.mark.parametrize("piece", ["**a ", "_a ", "`", "[", "[a](", "[a](h(", "\\*", "**_`[", "**a** _b_ "])
def test_formatting_is_linear(piece: str) -> None:
    assert len(parse_formatting(piece * 30_000).text) > 0


def test_values_are_plain_and_move_the_marks() -> None:
    made = template("🙂 {{ имя }}, заявка **{{ номер }}** и _{{ имя }}_.")
    rich = made.render({"имя": "**Я** [a](https://x.ru)", "номер": 17}, [])
    assert rich.text == "🙂 **Я** [a](https://x.ru), заявка 17 и **Я** [a](https://x.ru)."
    assert marked(rich) == [("bold", "17"), ("italic", "**Я** [a](https://x.ru)")]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, texts("ru")("Yes")),
        (False, texts("ru")("No")),
        (1500, "1500"),
        (1500.5, "1500,5"),
        (2.0, "2"),
        (["a", 1.5, None, 1], "a, 1,5, 1"),
        ("a\u202eb\x00c\x1b", "abc"),
        ("две\nстроки", "две\nстроки"),
        (date(2025, 3, 5), "5 марта"),
        (date(2026, 3, 5), "5 марта 2026"),
        (time(9, 0), "09:00"),
        ({"адрес": "Тверская, 1"}, "Тверская, 1"),
        ({"имя": "Иван", "телефон": "+79991234567"}, "Иван +79991234567"),
        ({"номер": 1}, ""),
        (float("inf"), ""),
        (float("nan"), ""),
        (10**400, ""),
    ],
)
def test_how_a_value_reads(value: Any, text: str) -> None:
    assert template("«{{ x }}»").text({"x": value, "today": "2025-03-05"}, []) == f"«{text}»"


def test_an_empty_value_is_a_dash_and_an_error() -> None:
    errors: list[str] = []
    rich = template("Привет, {{ имя }}!").render({"имя": ""}, errors)
    assert rich == Rich("Привет, —!")
    assert len(errors) == 1
    assert errors == ["an empty value in a text: имя"]


def test_long_values_are_cut_for_clients_only() -> None:
    made = template("{{ x }}!")
    assert len(made.render({"x": "a" * 5000}, []).text) == 4097
    assert len(made.text({"x": "a" * 5000}, [])) == 5001
    assert len(made.value({"x": "a" * 5000}, [])) == 5001


LONELY = """Здравствуйте!
{% if имя %}
  Вы — **{{ имя }}**.
{% elif гость %}
  Вы — гость.
{% else %}
  Кто вы?
{% endif %}
Конец."""


@pytest.mark.parametrize(
    ("names", "text", "marks"),
    [
        ({"имя": "Аня"}, "Здравствуйте!\n  Вы — Аня.\nКонец.", [("bold", "Аня")]),
        ({"гость": 1}, "Здравствуйте!\n  Вы — гость.\nКонец.", []),
        ({}, "Здравствуйте!\n  Кто вы?\nКонец.", []),
    ],
)
def test_branches(names: dict[str, Any], text: str, marks: Marks) -> None:
    rich = template(LONELY).render(names, [])
    assert rich.text == text
    assert marked(rich) == marks


def test_a_branch_inside_a_line_keeps_the_line() -> None:
    made = template("Да{% if x %}, {{ x }}{% endif %}\nНет **a{% if x %} и b{% endif %}**")
    rich = made.render({"x": "я"}, [])
    assert rich.text == "Да, я\nНет a и b"
    assert marked(rich) == [("bold", "a и b")]
    assert made.render({}, []).text == "Да\nНет a"


def test_a_tag_on_the_first_line() -> None:
    made = template("{% if a %}\n  да\n{% endif %}\nвсё")
    assert made.render({"a": 1}, []).text == "да\nвсё"
    assert made.render({}, []).text == "всё"


def test_neighbouring_tags_and_the_end_of_a_text() -> None:
    made = template("{% if a %}{% if b %}\nб\n{% endif %}\n{% endif %}\n")
    assert made.render({"a": 1, "b": 1}, []).text == "б"
    assert made.render({}, []) == Rich("")
    assert template("x{%- if a %} a {%- endif -%}  y").render({"a": 1}, []).text == "x ay"


def test_marks_at_empty_ends_are_trimmed() -> None:
    made = template("{% if a %}a{% endif %} **b**")
    assert marked(made.render({}, [])) == [("bold", "b")]
    assert made.render({}, []).marks == (Mark("bold", 0, 1),)
    assert template("**{% if a %}a{% endif %}**").render({}, []) == Rich("")


@pytest.mark.parametrize(
    ("source", "names", "url"),
    [
        ("[a](https://x.ru/{{ n }}?q={{ n }})", {"n": "й/1 2"}, "https://x.ru/%D0%B9%2F1%202?q=%D0%B9%2F1%202"),
        ("[a]({{ n }})", {"n": "https://x.ru/a?b=1"}, "https://x.ru/a?b=1"),
        ("[a]({{ n }})", {"n": "javascript:alert(1)"}, None),
        ("[a]({{ n }})", {}, None),
        ("[a](https://x.ru/{% if n %}{{ n }}{% endif %})", {"n": 1}, "https://x.ru/"),
    ],
)
def test_links(source: str, names: dict[str, Any], url: str | None) -> None:
    rich = template(source).render(names, [])
    assert rich.text == "a"
    assert [mark.url for mark in rich.marks] == ([url] if url else [])


def test_value_keeps_the_type_and_the_signs() -> None:
    names = {"n": 5, "да": True, "список": ["a"], "нет": None}
    assert template("{{ n }}").value(names, []) == 5
    assert template(" {{ да }}\n").value(names, []) is True
    assert template("{{ список }}").value(names, []) == ["a"]
    errors: list[str] = []
    assert template("{{ нет }}").value(names, errors) is None
    assert errors == []
    assert template("**{{ n }}**_{{ n }}").value(names, []) == "**5**_5"
    assert template("**a**{% if n %}_b_{% endif %}").value(names, []) == "**a**_b_"
    assert template("**a**").text(names, []) == "a"
    assert template("{{ 'высокая' if n > 1 else 'обычная' }}").value(names, []) == "высокая"


@pytest.mark.parametrize("value", [5, True, 1.5, None])
def test_constants_keep_their_type(value: Any) -> None:
    made = template(value)
    assert made.value({}, []) == value
    assert made.uses == ()


def test_braces_that_are_text() -> None:
    assert template("{# не комментарий #} } }} { x").render({}, []).text == "{# не комментарий #} } }} { x"


def test_uses_are_narrowed_by_branches() -> None:
    made = template("{{ a }}{% if b %}{{ b }}{% elif not c %}{{ b }}{% else %}{{ c }}{% endif %}")
    assert [(use.path[0], use.accepts_empty) for use in made.uses] == [
        ("a", False), ("b", True), ("b", True), ("c", True), ("b", False), ("c", True),
    ]  # fmt: skip
    assert [use.at.column for use in made.uses] == [4, 14, 21, 37, 44, 61]


def test_leading_space_does_not_move_positions() -> None:
    assert template("  {{ a }}").uses[0].at.column == 6


@pytest.mark.parametrize(
    ("source", "column", "said"),
    [
        ("a {% for x in y %}{% endfor %}", 3, "loops are not allowed"),
        ("{% set x = 1 %}", 1, "only {% if %}"),
        ("{% print x %}", 1, "only {% if %}"),
        ("{% raw %}{{ x }}{% endraw %}", 1, "only {% if %}"),
        ("{% %}", 1, "only {% if %}"),
        ("a {{ x", 3, "{{ is not closed"),
        ("a {% if x %}b", 3, "{% if %} is not closed"),
        ("{% endif %}", 4, "written wrongly"),
        ("{% if x", 8, "near"),
        ("{{ x() }}", 5, "calls are not allowed"),
        ("{{ }}", 4, "near «}}»"),
        ("{{ x | нет }}", 8, "there is no filter «нет»"),
        ("{{ a }}" * 201, 1404, "at most 200 parts"),
        ("{% if x %}{{ a * 2 }}{% endif %}", 14, "only + and -"),
    ],
)
def test_refused(source: str, column: int, said: str) -> None:
    found: list[Finding] = []
    assert parse_template(source, AT, found.append, here) is None
    assert [finding.code for finding in found] == ["L160"]
    assert said in found[0].message("en")
    assert abs(found[0].at.column - column) <= 1


def test_without_a_map_of_places_the_finding_stands_at_the_value() -> None:
    found: list[Finding] = []
    parse_template("{{ x() }}", AT, found.append)
    assert found[0].at == AT


@given(st.text(max_size=50))
def test_a_clients_value_never_changes_marks_outside_it(value: str) -> None:
    made = template("**до** [ссылка](https://x.ru) {{ x }} _после_ `код` 🙂 **конец**")
    said = heard(Message(text=value)).text
    rich = made.render({"x": said}, [])
    assert marked(rich) == [
        ("bold", "до"), ("link", "ссылка"), ("italic", "после"), ("code", "код"), ("bold", "конец"),
    ]  # fmt: skip
    assert rich == made.render({"x": said}, [])
    shown = said or "—"
    assert rich.text == f"до ссылка {shown} после код 🙂 конец"


@given(st.text(alphabet="{}% ifendsa_.|()*[]`\n\"'+-#0", max_size=40) | st.text(max_size=40))
def test_any_source_is_a_template_or_one_finding(source: str) -> None:
    found: list[Finding] = []
    made = parse_template(source, AT, found.append, here)
    assert (made is None) == (len(found) == 1)
    if made is not None:
        rich = made.render({}, [])
        assert all(0 <= mark.start < mark.end <= len(rich.text) for mark in rich.marks)
        assert made.text({}, []) == rich.text or len(rich.text) > 4096


@given(
    st.lists(
        st.sampled_from(
            ["**", "_", "a", " ", "{{ x }}", "{% if x %}", "{% endif %}", "\n", "[b](https://x.ru/{{ y }})", "🙂"]
        )
    )
)
def test_marks_stay_inside_whatever_is_written(parts: list[str]) -> None:
    made = parse_template("".join(parts), AT, lambda finding: None, here)
    for names in ({}, {"x": " ", "y": "1"}, {"x": "я 🙂"}):
        if made is not None:
            rich = made.render(names, [])
            assert all(0 <= mark.start < mark.end <= len(rich.text) for mark in rich.marks)
