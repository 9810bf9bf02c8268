"""`frontline channel-test`: plays the gateway against an integrator's endpoint, and says what to mend."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from core.locale import n_
from gateway.cli.shell import Shell, run_async
from gateway.cli.words import command, option

if TYPE_CHECKING:
    from adapters.verdict import Verdict

LACKS = ("buttons", "quotes", "edit", "delete", "typing", "menu")
WORDS = {"ok": n_("ok"), "failed": n_("failed"), "skipped": n_("skipped")}
COLOURS = {"ok": "green", "failed": "red", "skipped": "yellow"}


class Endpoint(NamedTuple):
    """What is tried out. `absent` are the abilities that the messenger lacks."""

    url: str
    secret: str
    limit: int
    absent: frozenset[str]


@command(
    "channel-test",
    help=n_(
        "Try out an endpoint of the channel `api`: signatures, repeats, order, edits, odd texts, pressure. URL is its "
        "address, or the name of a channel in the configuration."
    ),
)
@click.argument("url")
@option(
    "--secret",
    envvar="CHANNEL_SECRET",
    default="",
    help=n_("The secret of both sides, whsec_…; better in the environment as CHANNEL_SECRET."),
)
@option("--chat", default="frontline-test", show_default=True, help=n_("The chat that gets all messages."))
@option("--text-limit", type=click.IntRange(64, 100_000), default=4096, show_default=True, help=n_("The longest text."))
@option("--without", multiple=True, type=click.Choice(LACKS), help=n_("What the messenger has not; may be repeated."))
@option(
    "--timeout",
    "seconds",
    type=click.FloatRange(0.1, 120),
    default=15.0,
    show_default=True,
    help=n_("Seconds that one answer may take."),
)
@option("--listen", metavar="[HOST:]PORT", help=n_("Take events here, too, and try out the way back."))
@option("--wait", type=click.FloatRange(0.1, 3600), default=60.0, help=n_("Seconds that the first event may take."))
@option("--report", type=click.Path(path_type=Path, dir_okay=False), help=n_("Write a JSON report into this file."))
@option("--format", "form", type=click.Choice(["text", "json"]), default="text", help=n_("`json` for scripts."))
@click.pass_obj
def channel_test_command(
    shell: Shell,
    url: str,
    secret: str,
    chat: str,
    text_limit: int,
    without: tuple[str, ...],
    seconds: float,
    listen: str | None,
    wait: float,
    report: Path | None,
    form: str,
) -> int:
    endpoint = _endpoint(shell, url, Endpoint(url, secret, text_limit, frozenset(without)))
    address = _address(shell, listen) if listen else None
    verdicts = run_async(_tried(shell, endpoint, chat, seconds, address, wait, form))
    value = _value(shell, endpoint.url, verdicts)
    if form == "json":
        shell.json(value)
    else:
        _sum_up(shell, verdicts)
    if report is not None:
        report.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", "utf-8")
    return 0 if value["passed"] else 1


def _endpoint(shell: Shell, url: str, given: Endpoint) -> Endpoint:
    """What is named: an address, or a channel of the configuration."""
    if not url.startswith(("http://", "https://")):
        given = _configured(shell, url, given)
    from adapters.api.signing import is_secret

    if not given.secret:
        raise click.UsageError(
            shell.t("Without the secret nothing can be signed: set CHANNEL_SECRET, or give --secret.")
        )
    if not is_secret(given.secret):
        raise click.UsageError(shell.t("The secret is `whsec_` and 24 to 64 bytes in base64."))
    return given


def _configured(shell: Shell, name: str, given: Endpoint) -> Endpoint:
    from gateway.config.channels import ApiSettings

    channel = shell.load().channels.get(name)
    if not isinstance(channel, ApiSettings):
        raise click.UsageError(shell.t("«{name}» is neither an address nor a channel of the kind `api`.", name=name))
    can = channel.capabilities
    lacks = {lack for lack in LACKS if getattr(can, lack) in {False, "none"}}
    secret = given.secret or channel.secret.get_secret_value()
    return Endpoint(channel.url, secret, can.text_limit, given.absent | lacks)


def _address(shell: Shell, given: str) -> tuple[str, int]:
    """`8090` listens on this machine only, `0.0.0.0:8090` on every interface."""
    host, _, port = given.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise click.UsageError(shell.t("--listen is a port, or an address and a port: 8090, 0.0.0.0:8090"))
    return host.strip("[]") or "127.0.0.1", int(port)


async def _tried(
    shell: Shell, endpoint: Endpoint, chat: str, seconds: float, address: tuple[str, int] | None, wait: float, form: str
) -> list[Verdict]:
    from adapters.api.conformance.back import Listener
    from adapters.api.conformance.player import Player
    from adapters.api.conformance.run import listen, play
    from adapters.api.signing import parse_secret

    keys = [parse_secret(endpoint.secret)]
    player = Player(endpoint.url, keys, chat, endpoint.limit, seconds)
    try:
        verdicts = await _shown(shell, play(player, endpoint.absent), form)
    finally:
        await player.close()
    if address is None:
        return verdicts

    def ready(at: str) -> None:
        said = shell.t("Send events to {address} now: write to the bot in your messenger.", address=f"{at}/hooks/test")
        shell.say(said, error=form == "json")

    return verdicts + await _shown(shell, listen(Listener(keys), address, wait, ready), form)


async def _shown(shell: Shell, found: AsyncGenerator[Verdict, None], form: str) -> list[Verdict]:
    """The verdicts, each shown as soon as it is there."""
    verdicts = []
    async with aclosing(found) as running:
        async for verdict in running:
            verdicts.append(verdict)
            if form == "text":
                _show(shell, verdict)
    return verdicts


def _show(shell: Shell, verdict: Verdict) -> None:
    t = shell.t
    word = click.style(f"{t(WORDS[verdict.status]):<10}", fg=COLOURS[verdict.status])
    shell.say(f"{word} {verdict.id:<16} {t(verdict.title)}")
    if verdict.what:
        why = t("why: {reason}", reason=_said(shell, verdict.what, verdict.values))
        shell.say(f"{'':<10} {why}")
    if verdict.mend:
        mend = t("mend: {way}", way=_said(shell, verdict.mend, verdict.values))
        shell.say(f"{'':<10} {mend}")


def _said(shell: Shell, text: str, values: dict[str, Any]) -> str:
    """A message with its values; what there was in place of an answer is a message, too."""
    trouble = {"trouble": shell.t(str(values["trouble"]))} if values.get("trouble") else {}
    return shell.t(text, **{**values, **trouble})


def _sum_up(shell: Shell, verdicts: list[Verdict]) -> None:
    counts = {status: sum(one.status == status for one in verdicts) for status in WORDS}
    whole = shell.t.plural("{n} check", "{n} checks", len(verdicts))
    shell.say(
        shell.t("{whole}: {ok} ok, {failed} failed, {skipped} skipped.", whole=whole, **counts),
    )


def _value(shell: Shell, url: str, verdicts: list[Verdict]) -> dict[str, Any]:
    t = shell.t
    return {
        "url": url,
        "passed": not any(one.status == "failed" for one in verdicts),
        "checks": [
            {
                "id": one.id,
                "title": t(one.title),
                "status": one.status,
                "why": _said(shell, one.what, one.values) if one.what else "",
                "mend": _said(shell, one.mend, one.values) if one.mend else "",
                "seconds": round(one.seconds, 3),
            }
            for one in verdicts
        ],
    }
