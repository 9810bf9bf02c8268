"""Quotes where a messenger has none: what is answered stands before the answer, as `«…»` on a line of its own."""

from __future__ import annotations

from core.messages import Quote
from core.rich import Rich

MOST = 200  # letters of what is quoted; people need to know it again, not to read it


def with_quote(body: Rich, quote: Quote | None) -> Rich:
    """The text, with what it answers in front; a quote without a text leaves it as it is."""
    said = quoted(quote)
    return Rich(f"{said}\n") + body if said else body


def quoted(quote: Quote | None) -> str:
    """`«what was said …»` in one line, empty when there is nothing to quote."""
    text = " ".join(quote.text.split()) if quote is not None else ""
    if not text:
        return ""
    return f"«{text}»" if len(text) <= MOST else f"«{text[: MOST - 1].rstrip()}…»"
