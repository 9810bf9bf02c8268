"""Writes the references of `docs/` from the product itself: the flow language, settings, commands, findings.

`python docs/generate.py` writes the files, `--check` only says whether they are up to date (exit code 1 when not).
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


def pages() -> dict[str, str]:
    """Generated pages by file name."""
    from docs.generating import channels, commands, findings, language, numbers, protocol, settings

    made = {
        "flows.md": language.flows_page(),
        "findings.md": findings.findings_reference(),
        "settings.md": settings.settings_reference(),
        "commands.md": commands.commands_reference(),
        "channels.md": channels.channels_page(),
        "metrics.md": numbers.metrics_page(),
        "add-a-channel.md": channels.adding_page(),
        "api-channel.md": protocol.api_page(),
        "api-channel.openapi.json": protocol.openapi_document(),
        "api-channel.schema.json": protocol.json_schema_document(),
    }
    return {name: text.rstrip() + "\n" for name, text in made.items()}


def main() -> int:
    """Writes what has changed; with `--check` only names it."""
    fresh = pages()
    stale = [name for name, text in fresh.items() if not same(DOCS / name, text)]
    if "--check" in sys.argv[1:]:
        sys.stdout.write("".join(f"docs/{name} is not up to date: run `make docs`\n" for name in stale))
        return 1 if stale else 0
    for name in stale:
        (DOCS / name).write_text(fresh[name], "utf-8")
    sys.stdout.write(f"{len(stale)} pages written\n")
    return 0


def same(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text("utf-8") == text


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
