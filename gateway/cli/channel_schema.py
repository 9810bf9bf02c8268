"""`frontline channel-schema`: the protocol of the channel `api`, for integrators and their tools."""

from __future__ import annotations

import json

import click

from core.locale import n_
from gateway.cli.shell import Shell
from gateway.cli.words import command, option


@command("channel-schema", help=n_("Print the protocol of the channel `api`: OpenAPI 3.1, or JSON Schema."))
@option(
    "--format",
    "form",
    type=click.Choice(["openapi", "json-schema"]),
    default="openapi",
    help=n_("The whole protocol, or only the types."),
)
@option("--channel", default="messenger", help=n_("The name of the channel in the addresses."))
@option("--url", default="https://frontline.example", help=n_("Where the gateway is reached."))
@click.pass_obj
def channel_schema_command(shell: Shell, form: str, channel: str, url: str) -> int:
    from adapters.api.openapi import json_schema, openapi

    document = openapi(channel, url.rstrip("/")) if form == "openapi" else json_schema()
    shell.say(json.dumps(document, ensure_ascii=False, indent=2))
    return 0
