"""Why something with accounts cannot be."""

from __future__ import annotations

from typing import Literal

Why = Literal["wrong", "code_needed", "wrong_code", "wait"]


class SignInRefused(Exception):
    """`wrong` name or password, `code_needed` of the second factor, `wrong_code`, or `wait` so many seconds."""

    def __init__(self, why: Why, after: float = 0.0) -> None:
        super().__init__(why)
        self.why, self.after = why, after


class BadAccount(ValueError):
    """A value of an account cannot be: the field, and why in English (a message id)."""

    def __init__(self, field: str, why: str, **values: object) -> None:
        super().__init__(why.format(**values) if values else why)
        self.field, self.why, self.values = field, why, values
