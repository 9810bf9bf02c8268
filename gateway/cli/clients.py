"""`frontline clients …`: who writes to us and where, which clients became one, joining them and taking them apart."""

from __future__ import annotations

from typing import Any

import click

from core.locale import n_
from gateway.cli.publish import who
from gateway.cli.shell import Shell, ask_office, render_time
from gateway.cli.words import Command, Group, option
from gateway.config.model import Config

FORM = ("--format", "form")
TEXT_OR_JSON = click.Choice(["text", "json"])
# Why a join or its undoing was refused, by `core.joins.JoinRefused.why`.
REFUSED = {
    "unknown": n_("There is no client {detail}."),
    "same": n_("Both are client {detail}."),
    "part": n_("One of them is part of client {detail} already: name that one."),
    "undone": n_("Join {detail} has been undone already."),
    "suggested": n_("{detail} is only a suggestion: nobody has joined these clients."),
    "later": n_("Join {detail} was made later and stands on this one: undo it first."),
}
NO_JOIN = n_("There is no join {detail}.")
HOW = {"code": n_("one-time code"), "phone": n_("proved phone"), "hand": n_("by hand")}
STATES = {"done": n_("joined"), "undone": n_("undone"), "suggested": n_("suggested")}
WHY = {
    "several": n_("several clients have proved this phone"),
    "names": n_("the same proved phone, but different proved names"),
    "undone": n_("the same proved phone, but people have taken them apart"),
    "typed": n_("the same phone, typed by one of them at least"),
}


@click.group("clients", cls=Group, help=n_("Clients: who they are, which of them became one, and who may be one."))
def clients_command() -> None:
    pass


@clients_command.command("list", cls=Command, help=n_("List clients, the newest first."))
@option("--phone", default="", help=n_("Only those with this phone, written as +79991234567."))
@option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help=n_("How many at most."))
@option(*FORM, type=TEXT_OR_JSON, default="text", help=n_("`json` for scripts."))
@click.pass_obj
def list_command(shell: Shell, phone: str, limit: int, form: str) -> int:
    t, found = shell.t, _ask(shell, "clients", limit=limit, phone=phone)
    if form == "json":
        shell.json(found)
    elif not found:
        shell.say(t("There are no clients."))
    else:
        heads = (t("Client"), t("Name"), t("Phone"), t("Channel"))
        shell.table(heads, ([card.get(name, "") for name in ("id", "name", "phone", "channel")] for card in found))
    return 0


@clients_command.command(
    "show", cls=Command, help=n_("Show a client: card, identities, conversations, tickets, joins.")
)
@click.argument("client", type=int)
@option(*FORM, type=TEXT_OR_JSON, default="text", help=n_("`json` for scripts."))
@click.pass_obj
def show_command(shell: Shell, client: int, form: str) -> int:
    config = shell.load()
    found = _ask(shell, "client", client=client)
    if form == "json":
        shell.json(found)
    else:
        _show(shell, config, found)
    return 0


@clients_command.command(
    "joins", cls=Command, help=n_("List joins of clients, the newest first; of one client, if named.")
)
@click.argument("client", type=int, required=False)
@option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help=n_("How many at most."))
@option(*FORM, type=TEXT_OR_JSON, default="text", help=n_("`json` for scripts."))
@click.pass_obj
def joins_command(shell: Shell, client: int | None, limit: int, form: str) -> int:
    config, t = shell.load(), shell.t
    found = _ask(shell, "joins", client=client, limit=limit)
    if form == "json":
        shell.json(found)
    elif not found:
        shell.say(t("There are no joins."))
    else:
        heads = (t("Join"), t("When"), t("Clients"), t("How"), t("State"), t("By"))
        shell.table(heads, (_join_row(shell, config, join) for join in found))
    return 0


@clients_command.command(
    "join",
    cls=Command,
    help=n_("Make one client of two. The older number stays; `clients unjoin` takes it back exactly."),
)
@click.argument("one", type=int)
@click.argument("other", type=int)
@click.pass_obj
def join_command(shell: Shell, one: int, other: int) -> int:
    join = _ask(shell, "join", one=one, other=other, by=who())
    shell.say(shell.t("Clients {one} and {other} are one now: join {join}.", one=one, other=other, join=join))
    return 0


@clients_command.command(
    "unjoin", cls=Command, help=n_("Undo a join: both clients are what they were, each with what they wrote since.")
)
@click.argument("join", type=int)
@click.pass_obj
def unjoin_command(shell: Shell, join: int) -> int:
    _ask(shell, "unjoin", join=join, by=who())
    shell.say(shell.t("Join {join} is undone.", join=join))
    return 0


@clients_command.command("suggestions", cls=Command, help=n_("List clients that may be one person, and why."))
@option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help=n_("How many at most."))
@option(*FORM, type=TEXT_OR_JSON, default="text", help=n_("`json` for scripts."))
@click.pass_obj
def suggestions_command(shell: Shell, limit: int, form: str) -> int:
    t, found = shell.t, _ask(shell, "suggestions", limit=limit)
    if form == "json":
        shell.json(found)
    elif not found:
        shell.say(t("There are no suggestions."))
    else:
        rows = ((_numbers(one["clients"]), one["phone"], _reason(shell, one)) for one in found)
        shell.table((t("Clients"), t("Phone"), t("Why")), rows)
    return 0


# --- how they look ---------------------------------------------------------------------------------------------------


def _ask(shell: Shell, do: str, **params: Any) -> Any:
    """A question to the office; a refusal is one clear line and the exit code 1."""
    from gateway.control import Refused

    config = shell.load()
    try:
        return ask_office(shell, config, do, **params)
    except Refused as refused:
        why, _, detail = str(refused).partition(":")
        named = detail if detail not in ("", "0") else str(params.get("client", params.get("join", "")))
        said = NO_JOIN if (do, why) == ("unjoin", "unknown") else REFUSED.get(why, why)
        raise shell.fail(shell.t(said, detail=named)) from None


def _show(shell: Shell, config: Config, found: dict[str, Any]) -> None:
    t, card = shell.t, found["card"]
    into = card.get("_into")
    if into:
        shell.say(t("Client {client} is part of client {into}.", client=card["id"], into=into))
    for name, value in card.items():
        if value not in ("", None, []) and not name.startswith("_"):
            proved = f"  ({t('proved')})" if name in card.get("verified", ()) else ""
            shell.say(f"{name}: {value}{proved}")
    _part(shell, t("Identities"), [f"{it['channel']}  {it['sender']}" for it in found["identities"]])
    _part(shell, t("Conversations"), [_conversation(shell, it, found["last"]) for it in found["conversations"]])
    _part(shell, t("Tickets"), [f"{it['number']}  {it['status']}  {it['title']}" for it in found["tickets"]])
    joins = ["  ".join(map(str, _join_row(shell, config, it))) + _earlier(it) for it in found["joins"]]
    _part(shell, t("Joins"), joins)


def _part(shell: Shell, title: str, lines: list[str]) -> None:
    if lines:
        shell.say(f"{title}:")
        for line in lines:
            shell.say(f"  {line}")


def _conversation(shell: Shell, it: dict[str, Any], last: int) -> str:
    held = f"  {it['owner']} {it['line']}".rstrip() if it["owner"] != "bot" else ""
    return f"{it['id']}  {it['channel']}  {it['chat']}{held}" + (
        f"  ({shell.t('the last one')})" if it["id"] == last else ""
    )


def _join_row(shell: Shell, config: Config, join: dict[str, Any]) -> tuple[Any, ...]:
    t = shell.t
    known, how = STATES[join["state"]], HOW.get(join["how"], join["how"])
    state = t(known)
    if join["undone_at"]:
        state += f" {render_time(config, join['undone_at'])} {join['undone_by']}".rstrip()
    proved = f"{t(how)} {join['proof']}".rstrip()
    return (
        join["id"],
        render_time(config, join["at"]),
        _numbers((join["kept"], join["gone"])),
        proved,
        state,
        join["by"],
    )


def _earlier(join: dict[str, Any]) -> str:
    """Values in which the two cards differed: the client's before, and what the other brought."""
    kept, gone = join["kept_card"], join["gone_card"]
    names = [
        name for name in dict.fromkeys([*kept, *gone]) if not name.startswith("_") and name not in ("id", "verified")
    ]
    told = [
        f"{name}: {kept.get(name) or '—'} | {gone.get(name) or '—'}"
        for name in names
        if kept.get(name) != gone.get(name)
    ]
    return "".join(f"\n    {line}" for line in told)


def _reason(shell: Shell, one: dict[str, Any]) -> str:
    why = WHY[one["why"]]
    return shell.t(why)


def _numbers(clients: Any) -> str:
    return " + ".join(map(str, clients))
