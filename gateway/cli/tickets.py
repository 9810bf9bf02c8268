"""`frontline tickets`: the tickets, and one of them with everything it holds."""

from __future__ import annotations

from typing import Any

import click

from core.locale import n_
from gateway.cli.shell import Shell, ask_office, render_time
from gateway.cli.words import command, option
from gateway.config.model import Config

DEEDS = {
    "created": n_("created"),
    "changed": n_("changed"),
    "comment": n_("comment"),
    "note": n_("private note"),
    "untold": n_("the client was not reached"),
    "joined": n_("joined to another ticket"),
    "unjoined": n_("taken apart again"),
    "took_in": n_("took in a duplicate"),
    "let_go": n_("let a duplicate go"),
    "linked": n_("belongs to a session"),
    "unlinked": n_("no longer belongs to a session"),
    "pushed": n_("sent to the outer desk again"),
}
HIDDEN = ("at", "what", "done", "waiting", "key", "said", "told", "place", "client")  # of a line of the history


@command("tickets", help=n_("List tickets, or show one with every field, its files and history."))
@click.argument("number", type=int, required=False)
@option("--desk", help=n_("Only of this desk."))
@option("--status", help=n_("Only with this status."))
@option("--client", type=int, help=n_("Only of the client with this number."))
@option("--push-again", is_flag=True, help=n_("Send the ticket to its outer desk once more."))
@option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help=n_("How many at most."))
@option("--format", "form", type=click.Choice(["text", "json"]), default="text", help=n_("`json` for scripts."))
@click.pass_obj
def tickets_command(
    shell: Shell,
    number: int | None,
    desk: str | None,
    status: str | None,
    client: int | None,
    push_again: bool,
    limit: int,
    form: str,
) -> int:
    config = shell.load()
    if push_again:
        return _push_again(shell, config, number)
    if number is not None:
        return _one(shell, config, number, form)
    _check_desk(shell, config, desk)
    found = ask_office(shell, config, "tickets", desk=desk, status=status, client=client, limit=limit)
    if form == "json":
        shell.json(found)
    elif not found:
        shell.say(shell.t("There are no tickets."))
    else:
        _list(shell, config, found)
    return 0


def _check_desk(shell: Shell, config: Config, desk: str | None) -> None:
    if desk is not None and desk not in config.desks:
        known = ", ".join(config.desks)
        raise click.UsageError(shell.t("There is no desk «{desk}»; known: {known}.", desk=desk, known=known))


def _list(shell: Shell, config: Config, found: list[dict[str, Any]]) -> None:
    t = shell.t
    heads = (t("Number"), t("Created"), t("Desk"), t("Status"), t("Title"))
    shell.table(
        heads,
        (
            (
                row["number"],
                render_time(config, row["created_at"]),
                row["desk"],
                _status(shell, config, row),
                row["title"],
            )
            for row in found
        ),
    )


def _push_again(shell: Shell, config: Config, number: int | None) -> int:
    from gateway.control import Refused

    if number is None:
        raise click.UsageError(shell.t("Say which ticket."))
    try:
        ask_office(shell, config, "push_again", number=number)
    except Refused:
        raise shell.fail(shell.t("Ticket {number} has no outer desk.", number=number)) from None
    shell.say(shell.t("Ticket {number} goes to its outer desk once more.", number=number))
    return 0


def _one(shell: Shell, config: Config, number: int, form: str) -> int:
    from gateway.control import Refused

    try:
        ticket = ask_office(shell, config, "ticket", number=number)
    except Refused:
        raise shell.fail(shell.t("There is no ticket {number}.", number=number)) from None
    if form == "json":
        shell.json(ticket)
    else:
        for name, value in _lines(shell, config, ticket):
            shell.say(f"{name}: {_inside(value)}" if name else f"  {_inside(value)}")
    return 0


def _inside(value: str) -> str:
    """Further lines stand deeper, so that none can pass for a field."""
    return value.replace("\n", "\n    ")


def _lines(shell: Shell, config: Config, ticket: dict[str, Any]) -> list[tuple[str, str]]:
    """The ticket as lines of (name, value); a line without a name belongs to the one above."""
    t = shell.t
    outer = " ".join(part for part in (ticket.get("outer_number"), ticket.get("outer_link")) if part)
    lines = [
        (t("Ticket"), str(ticket["number"])),
        (t("Desk"), _desk(config, ticket["desk"])),
        (t("Status"), _status(shell, config, ticket)),
        (t("Joined to"), ticket["master"]),
        (t("Category"), ticket["category"]),
        (t("Assignee"), ticket["assignee"]),
        (t("Line"), ticket["line"]),
        (t("Created"), render_time(config, ticket["created_at"])),
        (t("Deadline"), render_time(config, ticket["deadline"]) if ticket["deadline"] else ""),
        (t("Title"), ticket["title"]),
        (t("Text"), ticket["text"]),
        (t("Priority"), ticket["priority"]),
        (t("Rating"), ticket["rating"]),
        (t("Outer desk"), outer),
        *ticket["fields"].items(),
    ]
    shown = [(name, str(value)) for name, value in lines if value]
    return shown + _files(shell, ticket) + _notes(shell, config, ticket) + _history(shell, config, ticket)


def _status(shell: Shell, config: Config, ticket: dict[str, Any]) -> str:
    """A status in the words of its desk."""
    return shell.t(_title(config, ticket["desk"], ticket["status"]))


def _title(config: Config, desk: str, status: str) -> str:
    from core.tickets import usual_title

    known = config.desks.get(desk)
    said = known.statuses.get(status) if known else None
    return said.title if said else usual_title(status)


def _desk(config: Config, desk: str) -> str:
    known = config.desks.get(desk)
    return f"{known.title} ({desk})" if known else desk


def _files(shell: Shell, ticket: dict[str, Any]) -> list[tuple[str, str]]:
    stored = ticket.get("stored", [])
    if not stored:
        return []
    return [(shell.t("Files"), str(len(stored))), *(("", _file(file)) for file in stored)]


def _file(file: dict[str, Any]) -> str:
    """Name, type and size; or why there is no file."""
    told = (file["name"] or file["kind"], file["mime"], str(file["size"] or ""), file.get("error", ""))
    return "  ".join(part for part in told if part)


def _notes(shell: Shell, config: Config, ticket: dict[str, Any]) -> list[tuple[str, str]]:
    notes = ticket.get("notes", [])
    if not notes:
        return []
    rows = [("", f"{render_time(config, note['at'])}  {note['author']}  {note['text']}") for note in notes]
    return [(shell.t("Private notes"), ""), *rows]


def _history(shell: Shell, config: Config, ticket: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [("", _deed(shell, config, ticket["desk"], deed)) for deed in ticket.get("history", [])]
    return [(shell.t("History"), ""), *rows] if rows else []


def _deed(shell: Shell, config: Config, desk: str, deed: dict[str, Any]) -> str:
    """When, what, and the new values; `done` is told by the status."""
    values = {name: value for name, value in deed.items() if name not in HIDDEN and value}
    rest = ", ".join(_value(shell, config, desk, name, value) for name, value in values.items())
    at, what = render_time(config, float(deed.get("at", 0))), str(deed.get("what", ""))
    return f"{at}  {shell.t(DEEDS.get(what, what))}  {rest}".rstrip()


def _value(shell: Shell, config: Config, desk: str, name: str, value: Any) -> str:
    if name == "status":
        return shell.t(_title(config, desk, str(value)))
    if name == "deadline":
        return render_time(config, float(value))
    return "; ".join(f"{label}: {text}" for label, text in value.items()) if isinstance(value, dict) else str(value)
