"""The reference of the command line, from the commands themselves."""

from __future__ import annotations

from typing import Any

from docs.generating.markdown import MARK, sentence, table


def commands_reference() -> str:
    """Every command with its options, from the command line itself."""
    import click

    from gateway.cli import frontline

    context = click.Context(frontline, info_name="frontline")
    parts = [params_of(frontline)]
    for name in frontline.list_commands(context):
        command = frontline.get_command(context, name)
        assert command is not None
        parts.append(command_part(name, command, context))
    head = (
        "# Commands\n\n`frontline …`, or `python -m gateway …`. The exit code is 0 when all is well, 1 for findings and "
        "failures, 2 for a\nmistake on the command line. Output is coloured in a terminal and plain when piped.\n"
    )
    return f"{head}\n{MARK}\n\n## Options of all commands\n\n" + "\n".join(parts)


def command_part(name: str, command: Any, context: Any) -> str:
    pieces = " ".join(piece for param in command.params for piece in param.get_usage_pieces(context))
    nested = getattr(command, "commands", {})
    below = "\n".join(command_part(f"{name} {one}", inner, context) for one, inner in nested.items())
    usage = f"{name} {pieces}".strip()
    return f"## `frontline {usage}`\n\n{sentence(command.help or '')}\n\n{params_of(command)}\n{below}"


def params_of(command: Any) -> str:
    rows = [
        (f"`{', '.join(param.opts)}`{choices(param)}", " ".join((param.help or "").split()))
        for param in command.params
        if getattr(param, "help", None)
    ]
    return table(("option", "meaning"), rows) if rows else ""


def choices(param: Any) -> str:
    known = getattr(param.type, "choices", ())
    return f" ({', '.join(str(one) for one in known)})" if known else ""
