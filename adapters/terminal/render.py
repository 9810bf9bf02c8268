"""Ours → outside: a message as lines of a terminal, buttons numbered."""

from __future__ import annotations

from adapters.quoting import with_quote
from core.locale import Texts
from core.messages import Button, Outgoing
from core.rich import Mark, Rich

KIND = "terminal"
STYLES = {"bold": "1", "italic": "3", "code": "36", "link": "4"}


def render_message(message: Outgoing, t: Texts, *, colour: bool) -> str:
    """The text, files and numbered buttons. `colour`: marks become escape sequences, else they are left out."""
    body = render_rich(with_quote(message.per_channel.get(KIND, message.body), message.quote), colour=colour)
    parts = [body] if body else []
    if message.files:
        parts.append("  " + t.plural("({n} file)", "({n} files)", len(message.files)))
    parts += [f"  [{n}] {render_button(button, t)}" for n, button in enumerate(buttons_of(message), 1)]
    return "\n".join(parts)


def buttons_of(message: Outgoing) -> list[Button]:
    """The buttons in the order of their numbers."""
    return [button for row in message.rows for button in row]


def render_button(button: Button, t: Texts) -> str:
    """A label, and what the button does when it is not a simple one."""
    if button.url:
        return f"{button.label}: {button.url}"
    if button.ask == "contact":
        return f"{button.label}  (/contact +79991234567)"
    if button.ask == "location":
        return f"{button.label}  (/location " + t("address") + ")"
    return button.label


def render_rich(body: Rich, *, colour: bool) -> str:
    """The text; links show their address where it is not the text itself."""
    text, shown = body.text, ""
    at = 0
    for mark in sorted(body.marks, key=lambda mark: mark.start):
        if mark.start < at:
            continue  # a mark inside a mark: the outer one is enough for a terminal
        shown += text[at : mark.start] + _marked(text[mark.start : mark.end], mark, colour)
        at = mark.end
    return shown + text[at:]


def _marked(text: str, mark: Mark, colour: bool) -> str:
    address = f" ({mark.url})" if mark.url and mark.url != text else ""
    return (f"\x1b[{STYLES[mark.kind]}m{text}\x1b[0m" if colour else text) + address
