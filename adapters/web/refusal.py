"""Refusals: what a client's request may be turned down for, with a code for the page and a text for people."""

from __future__ import annotations

from typing import Any

from core.locale import n_, texts

TEXTS = {
    "origin": n_("This page may not talk to the chat."),
    "token": n_("The chat does not know this browser any more. Reload the page."),
    "not_found": n_("There is nothing here."),
    "flood": n_("Too many messages at once. Wait a little."),
    "too_large": n_("This is too large. The limit is {limit}."),
    "too_long": n_(
        "The message is too long: {length} characters, at most {limit} fit. Please shorten it or send it in parts."
    ),
    "empty": n_("There is nothing to send."),
    "empty_file": n_("The file is empty."),
    "bad_request": n_("The request could not be read: {reason}"),
    "encoding": n_("Compressed requests are not accepted."),
    "quota": n_("Too many files in an hour. Try again later."),
    "busy": n_("The chat cannot take messages at the moment. Your message is kept and will be sent again."),
}
STATUSES = {
    "origin": 403,
    "token": 403,
    "not_found": 404,
    "flood": 429,
    "too_large": 413,
    "quota": 429,
    "busy": 503,
    "encoding": 415,
}


class Refused(Exception):
    """A request is turned down. `values` fill the text of the code; `after` (seconds) asks to come again."""

    def __init__(self, code: str, /, after: float = 0.0, **values: Any) -> None:
        super().__init__(code)
        self.code, self.after, self.values = code, after, values

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return STATUSES.get(self.code, 400)

    def body(self, language: str) -> dict[str, Any]:
        """The JSON answer: the code, the text for people, and its numbers."""
        t = texts(language)
        return {"error": self.code, "message": t(TEXTS[self.code], **self.values), **self.values}
