"""`email`: an address of the right form; nobody is asked whether it exists."""

from __future__ import annotations

import re
from datetime import datetime
from typing import ClassVar

from email_validator import EmailNotValidError, validate_email

from bot.fields.kind import Accepted, FieldKind, Parsed, Token, Wrong
from bot.heard import Heard
from bot.model import Field
from core.locale import Texts

LONGEST = 254  # RFC 5321
CANDIDATES = 10  # no message holds more addresses that matter
TOKEN = re.compile(r"(?<![^\s<>,;:\"'()\[\]«»])[^\s<>,;:\"'()\[\]«»@]{1,64}@[^\s<>,;:\"'()\[\]«»@]{1,253}")


class Email(FieldKind):
    type: ClassVar[str] = "email"

    def parse(self, field: Field, heard: Heard, now: datetime, t: Texts) -> Parsed:
        """The whole answer, or the only address in it («моя почта a@b.ru»)."""
        if not heard.text:
            return None
        whole = parse_email(heard.text.strip(".,;<>"))
        found = [whole] if whole else [value for value, _, _ in self.find(field, heard.text)]
        return Accepted(found[0]) if len(found) == 1 else Wrong(t("This does not look like an email address."))

    def find(self, field: Field, text: str) -> list[Token]:
        tokens = []
        for found, _ in zip(TOKEN.finditer(text), range(CANDIDATES), strict=False):
            said = found[0].rstrip(".!?…")
            if value := parse_email(said):
                tokens.append((value, found.start(), found.start() + len(said)))
        return tokens


def parse_email(text: str) -> str | None:
    """The address as mail servers write it, None when it is none."""
    if len(text) > LONGEST or "@" not in text:
        return None
    try:
        return validate_email(text, check_deliverability=False, strict=True).normalized
    except EmailNotValidError:
        return None
