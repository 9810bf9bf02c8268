"""One way to compare texts: lower case, ё as е, a no-break space as a space, words."""

from __future__ import annotations

import re
import unicodedata

WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
SPACES = re.compile(r"\s+")
# Invisible characters that turn text around or hide in it (bidi controls, zero width), and control characters.
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]")


def clean(text: str) -> str:
    """A client's text as plain text: NFC, no control or direction-turning characters, line feeds and tabs kept."""
    return UNSEEN.sub("", unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")))


def normal(text: str) -> str:
    """Lower case, ё as е, single spaces, without punctuation at the ends."""
    folded = SPACES.sub(" ", text.lower().replace("ё", "е").replace("\u00a0", " "))
    return folded.strip(" .,!?;:…«»\"'()-—–")


def words(text: str, limit: int = 64) -> list[str]:
    """The first `limit` words of a text, normalised."""
    return WORD.findall(text.lower().replace("ё", "е"))[:limit]
