"""Splitting: no part too long, nothing lost, words and marks whole wherever they fit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from adapters.splitting import split
from core.rich import Mark, MarkKind, Rich, plain

SHORT = st.text(alphabet="абвгде", min_size=1, max_size=12)
KINDS: tuple[MarkKind, ...] = ("bold", "italic", "code", "link")


@st.composite
def riches(draw: st.DrawFn) -> Rich:
    """Any text with any marks."""
    text = draw(st.text(alphabet=st.sampled_from("аб .!\n\t👍\u0301\u200d"), max_size=300))
    places = st.integers(0, len(text))
    pairs = draw(st.lists(st.tuples(st.sampled_from(KINDS), places, places), max_size=5))
    return Rich(text, tuple(Mark(kind, min(a, b), max(a, b)) for kind, a, b in pairs if a != b))


def marked(parts: list[Rich], kind: MarkKind) -> list[bool]:
    """For each character of the whole, whether it is under a mark of the kind."""
    return [
        any(m.kind == kind and m.start <= at < m.end for m in part.marks)
        for part in parts
        for at in range(len(part.text))
    ]


@given(rich=riches(), limit=st.integers(2, 80))
def test_nothing_is_lost_and_no_part_is_too_long(rich: Rich, limit: int) -> None:
    parts = split(rich, limit)
    assert "".join(part.text for part in parts) == rich.text
    assert all(0 < len(part.text) <= limit for part in parts)
    for kind in KINDS:
        assert marked(parts, kind) == marked([rich], kind)
    assert all(0 <= m.start < m.end <= len(part.text) for part in parts for m in part.marks)


@given(words=st.lists(SHORT, min_size=1, max_size=60), limit=st.integers(13, 60))
def test_no_word_is_cut(words: list[str], limit: int) -> None:
    parts = split(plain(" ".join(words)), limit)
    assert [word for part in parts for word in part.text.split()] == words


@given(words=st.lists(SHORT, min_size=8, max_size=40), first=st.integers(0, 6), limit=st.integers(60, 90))
def test_a_mark_that_fits_is_not_cut(words: list[str], first: int, limit: int) -> None:
    start = len(" ".join(words[:first])) + bool(first)
    mark = Mark("link", start, start + len(" ".join(words[first : first + 2])), "https://example.org")
    parts = split(Rich(" ".join(words), (mark,)), limit)
    assert [m.end - m.start for part in parts for m in part.marks] == [mark.end - mark.start]


def test_the_best_place_wins() -> None:
    assert [p.text for p in split(plain("Первый абзац.\n\nВторой абзац. Ещё."), 28)] == [
        "Первый абзац.\n\n", "Второй абзац. Ещё.",
    ]  # fmt: skip
    assert [p.text for p in split(plain("Раз два три. Четыре пять"), 22)] == ["Раз два три. ", "Четыре пять"]


def test_a_wall_is_cut_between_symbols() -> None:
    assert [len(part.text) for part in split(plain("а" * 9000), 4096)] == [4096, 4096, 808]
    family = "👨\u200d👩\u200d👧"
    assert [part.text for part in split(plain(family * 3), 12)] == [family * 2, family]


CLUSTERS = (
    "а", "е\u0301", "👍🏽", "👨\u200d👩\u200d👧\u200d👦", "🇷🇺", "❤\ufe0f", "1\ufe0f\u20e3", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "की", "😀", "👩🏾\u200d🚀",
)  # fmt: skip


@given(symbols=st.lists(st.sampled_from(CLUSTERS), min_size=1, max_size=120), limit=st.integers(16, 64))
def test_no_symbol_is_cut(symbols: list[str], limit: int) -> None:
    """Without a space between them: a letter stays with its accent, an emoji with all that is joined to it."""
    parts = [part.text for part in split(plain("".join(symbols)), limit)]
    borders, at = {0}, 0
    for symbol in symbols:
        at += len(symbol)
        borders.add(at)
    place = 0
    for part in parts:
        place += len(part)
        assert place in borders, parts
        assert part.encode("utf-16-le").decode("utf-16-le") == part, "no half of a pair"


def test_a_mark_over_everything_is_cut_at_a_word() -> None:
    parts = split(Rich("слово " * 20, (Mark("bold", 0, 120),)), 50)
    assert all(part.text.endswith("слово ") for part in parts)
    assert [part.marks for part in parts] == [(Mark("bold", 0, len(part.text)),) for part in parts]


def test_an_empty_text_has_no_parts() -> None:
    assert split(plain(""), 10) == []
