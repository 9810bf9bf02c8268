"""Rich text keeps its marks over the right characters, whatever it is joined with."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.rich import Mark, Rich, join, plain


def marked(rich: Rich) -> list[str]:
    return [rich.text[mark.start : mark.end] for mark in rich.marks]


def test_joining_moves_marks() -> None:
    whole = join([Rich("Готово!", (Mark("bold", 0, 6),)), plain("Заявка"), Rich("№ 7", (Mark("code", 2, 3),))])
    assert whole.text == "Готово!\nЗаявка\n№ 7"
    assert marked(whole) == ["Готово", "7"]


def test_empty_parts_are_left_out() -> None:
    assert join([plain(""), plain("а"), plain(""), plain("б")]).text == "а\nб"
    assert join([]) == plain("")


@given(st.text(), st.text(), st.text())
def test_marks_follow_their_text(before: str, inside: str, after: str) -> None:
    whole = plain(before) + Rich(inside, (Mark("bold", 0, len(inside)),)) + plain(after)
    assert marked(whole) == [inside]
    assert whole.text == before + inside + after
