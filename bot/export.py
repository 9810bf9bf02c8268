"""Texts for translators: what flows say, keyed by flow, step and source; what is stale or missing in a translation."""

from __future__ import annotations


def text_key(flow: str, step: str, source: str) -> str:
    """The key of a text in `Library.texts`: where it stands, and the text itself."""
    return f"{flow}\n{step}\n{source.strip()}"
