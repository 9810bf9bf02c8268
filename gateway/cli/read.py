"""`frontline read`, `graph`, `schema`: a flow as prose, as a diagram, and the language for editors."""

from __future__ import annotations

import json

import click

from core.locale import n_
from gateway.cli.shell import Shell
from gateway.cli.words import command


@command("read", help=n_("Read a flow aloud: what it asks and does, in sentences."))
@click.argument("flow")
@click.pass_obj
def read_command(shell: Shell, flow: str) -> int:
    from bot.prose import read_aloud
    from gateway.cli.flows import load_flows, require_flow

    library = load_flows(shell, shell.load()).edition.require()
    require_flow(shell, library, flow)
    shell.say(read_aloud(library.flows[flow], library, shell.language))
    return 0


@command("graph", help=n_("Draw a flow as a Mermaid diagram."))
@click.argument("flow")
@click.pass_obj
def graph_command(shell: Shell, flow: str) -> int:
    from bot.graph import mermaid
    from gateway.cli.flows import load_flows, require_flow

    library = load_flows(shell, shell.load()).edition.require()
    require_flow(shell, library, flow)
    shell.say(mermaid(library.flows[flow], library, shell.language))
    return 0


@command("schema", help=n_("Print the JSON Schema of the flow language, for editors."))
@click.pass_obj
def schema_command(shell: Shell) -> int:
    from bot.schema import json_schema

    shell.say(json.dumps(json_schema(shell.language), ensure_ascii=False, indent=2))
    return 0
