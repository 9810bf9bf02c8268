"""`frontline user …` and `frontline audit …`: the people who sign in, and what was done by whom."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from core.access import OF_LINES, ROLES
from core.locale import n_
from gateway.cli.publish import who
from gateway.cli.shell import Shell, ask_office, render_time
from gateway.cli.words import Command, Group, option

FORM = ("--format", "form")
TEXT_OR_JSON = click.Choice(["text", "json"])
ROLE_NAMES = {
    "operator": n_("operator"),
    "supervisor": n_("supervisor"),
    "analyst": n_("analyst"),
    "admin": n_("admin"),
}
# Why a command about an account was refused, by `why`; other reasons are message ids themselves.
REFUSED = {
    "unknown": n_("There is no user {name}."),
    "taken": n_("There is a user {name} already."),
    "last_admin": n_("{name} is the only admin: nobody could administer any more."),
    "head": n_("«{head}» is no row of the audit: write it as 120:9f86d0…, as `audit check` prints it."),
}
BROKEN = {
    "changed": n_("Row {row} of the audit was changed, or put in."),
    "missing": n_("Row {row} of the audit is missing."),
    "cut": n_("The audit was cut off: row {row} and those behind it are gone."),
    "head": n_("Row {row} of the audit is not the one that was noted."),
}
LINE = n_("A line of theirs; `billing:supervisor` for another role in it. May be repeated.")
BY_STDIN = n_("Read the password from standard input.")
ASK = n_("Ask for the password, twice; without this one is made up and printed once.")


@click.group("user", cls=Group, help=n_("People who sign in: add, list, change, deactivate."))
def user_command() -> None:
    pass


@user_command.command("add", cls=Command, help=n_("Add a user. Without a password one is made up and printed once."))
@click.argument("name")
@option("--role", type=click.Choice(ROLES), required=True, help=n_("What they may do."))
@option("--line", "lines", multiple=True, metavar="LINE", help=LINE)
@option("--title", default="", help=n_("Their name, as others read it."))
@option("--password-stdin", "stdin", is_flag=True, help=BY_STDIN)
@option("--ask", "asks", is_flag=True, help=ASK)
@click.pass_obj
def add_command(shell: Shell, name: str, role: str, lines: tuple[str, ...], title: str, stdin: bool, asks: bool) -> int:
    _check_name(shell, name)
    password = _password(shell, stdin, asks)
    roles = _roles(shell, lines, role)
    made = _ask(shell, "user_add", name=name, role=role, by=who(), title=title, lines=roles, password=password)
    shell.say(shell.t("User {name} is added: {role}.", name=name, role=shell.t(ROLE_NAMES[role])))
    _show_password(shell, made)
    return 0


@user_command.command("list", cls=Command, help=n_("List all users with their roles and lines."))
@option(*FORM, type=TEXT_OR_JSON, default="text", help=n_("`json` for scripts."))
@click.pass_obj
def list_command(shell: Shell, form: str) -> int:
    config, t, found = shell.load(), shell.t, _ask(shell, "users")
    if form == "json":
        shell.json(found)
    elif not found:
        shell.say(t("There are no users: `frontline user add NAME --role admin` adds the first."))
    else:
        heads = (t("Name"), t("Title"), t("Role"), t("Lines"), t("Second factor"), t("Active"), t("Changed"))
        shell.table(heads, ((*_row(shell, user), render_time(config, user["changed_at"])) for user in found))
    return 0


@user_command.command("change", cls=Command, help=n_("Change a user. A new role ends their sessions."))
@click.argument("name")
@option("--role", type=click.Choice(ROLES), help=n_("What they may do."))
@option("--line", "lines", multiple=True, metavar="LINE", help=LINE)
@option("--no-lines", is_flag=True, help=n_("Take all lines away."))
@option("--title", help=n_("Their name, as others read it."))
@option("--active", is_flag=True, help=n_("Let somebody who was deactivated sign in again."))
@click.pass_obj
def change_command(
    shell: Shell, name: str, role: str | None, lines: tuple[str, ...], no_lines: bool, title: str | None, active: bool
) -> int:
    given = {"role": role, "title": title or None, "active": active or None}
    changes: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if lines or no_lines:
        changes["lines"] = _roles(shell, lines, role or "operator")
    if not changes:
        raise click.UsageError(shell.t("Say what to change: --role, --line, --no-lines, --title or --active."))
    _ask(shell, "user_change", name=name, by=who(), changes=changes)
    shell.say(shell.t("User {name} is changed.", name=name))
    return 0


@user_command.command("deactivate", cls=Command, help=n_("Let a user in no more: sessions and tokens end at once."))
@click.argument("name")
@click.pass_obj
def deactivate_command(shell: Shell, name: str) -> int:
    _ask(shell, "user_change", name=name, by=who(), changes={"active": False})
    shell.say(shell.t("User {name} is deactivated.", name=name))
    return 0


@user_command.command("password", cls=Command, help=n_("Give a user a new password; their sessions end."))
@click.argument("name")
@option("--password-stdin", "stdin", is_flag=True, help=BY_STDIN)
@option("--ask", "asks", is_flag=True, help=ASK)
@click.pass_obj
def password_command(shell: Shell, name: str, stdin: bool, asks: bool) -> int:
    made = _ask(shell, "user_password", name=name, by=who(), password=_password(shell, stdin, asks))
    shell.say(shell.t("User {name} has a new password.", name=name))
    _show_password(shell, made)
    return 0


@user_command.command(
    "totp-off", cls=Command, help=n_("Take the second factor away from somebody who has lost it; their sessions end.")
)
@click.argument("name")
@click.pass_obj
def totp_off_command(shell: Shell, name: str) -> int:
    _ask(shell, "user_change", name=name, by=who(), totp_off=True)
    shell.say(shell.t("User {name} signs in by password alone now.", name=name))
    return 0


# --- the audit -------------------------------------------------------------------------------------------------------


@click.group("audit", cls=Group, help=n_("The audit: what was done by whom."))
def audit_command() -> None:
    pass


@audit_command.command(
    "check", cls=Command, help=n_("Walk the audit from its first row: any change, gap or cut is found and named.")
)
@option(
    "--head", default="", metavar="ROW:HASH", help=n_("A last row that was noted elsewhere: it must still be there.")
)
@click.pass_obj
def check_command(shell: Shell, head: str) -> int:
    found, t = _ask(shell, "audit_check", head=head), shell.t
    if found["broken"]:
        why = BROKEN[found["why"]]
        raise shell.fail(t(why, row=found["broken"]))
    shell.say(t("The audit is whole: {rows} rows, the last is {head}.", rows=found["rows"], head=found["head"] or "—"))
    return 0


# --- pieces ----------------------------------------------------------------------------------------------------------


def _ask(shell: Shell, do: str, **params: Any) -> Any:
    """A question to the office; a refusal is one clear line and the exit code 1."""
    from gateway.control import Refused

    config = shell.load()
    try:
        return ask_office(shell, config, do, **params)
    except Refused as refused:
        values = json.loads(str(refused))
        why = values.pop("why")
        raise shell.fail(shell.t(REFUSED.get(why, why), **values)) from None


def _check_name(shell: Shell, name: str) -> None:
    """The name that is typed at every sign-in is the same in the API's model."""
    from pydantic import TypeAdapter, ValidationError

    from gateway.api.models import UserName

    try:
        TypeAdapter(UserName).validate_python(name)
    except ValidationError:
        raise click.UsageError(
            shell.t("«{name}» cannot be a name: small Latin letters, digits and . _ - @ +, at most 64.", name=name)
        ) from None


def _roles(shell: Shell, lines: tuple[str, ...], role: str) -> dict[str, str]:
    """`billing:supervisor` or `billing`, which has the role of the person."""
    found: dict[str, str] = {}
    for said in lines:
        line, _, own = said.partition(":")
        wanted = own or (role if role in OF_LINES else "operator")
        if wanted not in OF_LINES:
            raise click.UsageError(shell.t("In a line one is operator or supervisor, not «{role}».", role=wanted))
        found[line] = wanted
    return found


def _password(shell: Shell, stdin: bool, asks: bool) -> str:
    """As it was given; empty to have one made up. Raises a usage error for two that differ."""
    if stdin:
        given = sys.stdin.readline().rstrip("\r\n")
        if not given:
            raise click.UsageError(shell.t("There is no password on standard input."))
        return given
    if not asks:
        return ""
    first: str = click.prompt(shell.t("Password"), hide_input=True, err=True)
    if click.prompt(shell.t("The same once more"), hide_input=True, err=True) != first:
        raise click.UsageError(shell.t("The two passwords differ."))
    return first


def _show_password(shell: Shell, made: dict[str, Any]) -> None:
    if "password" in made:
        shell.say(shell.t("Password, shown once: {password}", password=made["password"]))


def _row(shell: Shell, user: dict[str, Any]) -> tuple[str, ...]:
    yes, no, role = shell.t("yes"), shell.t("no"), ROLE_NAMES[user["role"]]
    lines = ", ".join(_line(shell, line, own) for line, own in user["lines"].items())
    totp, active = (yes if user[name] else no for name in ("totp", "active"))
    return user["name"], user["title"], shell.t(role), lines or "—", totp, active


def _line(shell: Shell, line: str, role: str) -> str:
    """The role is told where it is more than an operator's."""
    return line if role == "operator" else f"{line} ({shell.t(ROLE_NAMES[role])})"
