"""What people read, in their language: English message ids, `core/locale/<language>.po`, right plurals in both."""

from __future__ import annotations

import gettext
import io
from functools import cache
from importlib.resources import files
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = ("ru", "en")


class Texts:
    """The catalogue of one language. Call it with an English message id; `{name}` places are filled from keywords."""

    def __init__(self, language: str, catalogue: gettext.NullTranslations) -> None:
        self.language = language
        self._catalogue = catalogue

    def __call__(self, message: str, /, **values: Any) -> str:
        said = self._catalogue.gettext(message) if message else ""
        return said.format_map(values) if values else said

    def plural(self, one: str, many: str, n: int, /, **values: Any) -> str:
        """The form of the message that goes with the number; `{n}` is the number."""
        return self._catalogue.ngettext(one, many, n).format_map({"n": n, **values})


def n_(message: str) -> str:
    """Marks a message id for the catalogue where it is translated later."""
    return message


@cache
def texts(language: str) -> Texts:
    """The catalogue of a language; an unknown language reads English, the language of the ids."""
    source = files("core") / "translations" / f"{language}.po"
    if not source.is_file():
        return Texts(language, gettext.NullTranslations())
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source.read_bytes()), locale=language))
    compiled.seek(0)
    return Texts(language, gettext.GNUTranslations(compiled))
