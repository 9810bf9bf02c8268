"""Lines for a flow made of what clients said: the loader must read the very same words, whatever they wrote."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.loader import Mapping, Scalar, Sequence, load
from bot.snippet import quoted, trigger_line, trigger_word
from core.findings import Finding

SAID = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def read_list(text: str) -> list[object]:
    """The values of a YAML list as flows have them; what the loader finds wrong fails."""
    findings: list[Finding] = []
    root = load(text, "x.yaml", findings.append)
    assert findings == []
    assert isinstance(root, Sequence)
    return [item.value for item in root.items if isinstance(item, Scalar)]


@pytest.mark.parametrize("text", ["где заказ", "заказ 123", "a-b", "Ёлка", "y", "nan", "中文"])
def test_plain_words_stay_as_people_write_them(text: str) -> None:
    assert quoted(text) == text


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", '""'),
        ("No", '"No"'),
        ("null", '"null"'),
        ("123", '"123"'),
        (" где", '" где"'),
        ("где ", '"где "'),
        ("где  заказ", '"где  заказ"'),
        ("где?", '"где?"'),
        ("a: b", '"a: b"'),
        ("он # она", '"он # она"'),
        ('он "сам"', '"он \\"сам\\""'),
        ("c:\\x", '"c:\\\\x"'),
        ("раз\nдва", '"раз\\u000aдва"'),
        ("\ufeffда", '"\\ufeffда"'),
        ("😀", '"😀"'),
        ("\U000e0001", '"\\U000e0001"'),
        ("\ud83d", '"\\ud83d"'),
    ],
)
def test_what_means_something_to_yaml_is_quoted(text: str, line: str) -> None:
    assert quoted(text) == line


@given(SAID, SAID)
@example("true", "off")
@example("- {client: a}, [b]", "'*&!|>%@`~")
@example("\x85\u2028\u2029\x00\x7f", "\uffff\ufeff")
def test_every_text_is_read_back_as_it_was_said(one: str, other: str) -> None:
    assert read_list(f"[{quoted(one)}, {quoted(other)}]") == [one, other]


@pytest.mark.parametrize(
    ("text", "word"), [("Где заказ?", "words"), ("42", "words"), ("???", "exact"), ("👍", "exact")]
)
def test_what_has_no_words_is_caught_exactly(text: str, word: str) -> None:
    assert trigger_word(text) == word
    assert trigger_line([text]).startswith(f"- {word}: [")


def test_a_line_of_triggers_holds_all_phrases() -> None:
    line = trigger_line(["где заказ", "счёт, акт", "нет"])
    assert line == '- words: [где заказ, "счёт, акт", нет]'
    findings: list[Finding] = []
    root = load(line, "x.yaml", findings.append)
    assert isinstance(root, Sequence)
    (trigger,) = root.items
    assert isinstance(trigger, Mapping)
    _, phrases = trigger.items["words"]
    assert isinstance(phrases, Sequence)
    assert [it.value for it in phrases.items if isinstance(it, Scalar)] == ["где заказ", "счёт, акт", "нет"]
