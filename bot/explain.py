"""A finding with its line, `^^^^` under the mistake, and the mended version."""

from __future__ import annotations

from core.findings import Finding
from core.locale import n_, texts

# What to add where something is missing: codes whose mending is a new line, as it would be written.
ADDED = {
    "L140": ("failed:", "  - fail: …"),
    "L142": ("{label}: …",),
    "L150": ("- end: …",),
}
MENDED = n_("mended:")
ADD = n_("to add:")


def explain(finding: Finding, source_text: str, language: str) -> str:
    """Several lines: the finding, its line with a mark, and the line as it should read where that is known."""
    t = texts(language)
    lines = source_text.split("\n")
    shown = [finding.line(language)]
    row = finding.at.line - 1
    if row >= len(lines):
        return shown[0]
    text = lines[row].rstrip("\r")
    gutter = f"{finding.at.line:>5} | "
    start = min(finding.at.column - 1, len(text))
    shown.append(gutter + text)
    shown.append(" " * (len(gutter) - 2) + "| " + _pad(text[:start]) + "^" * _length(finding, text, start))
    mended = _mended(finding, text, start)
    if mended:
        shown.append(f"      = {t(MENDED)}")
        shown.append(gutter + mended)
    for n, line in enumerate(_added(finding, text)):
        if n == 0:
            shown.append(f"      = {t(ADD)}")
        shown.append("    + | " + line)
    return "\n".join(shown)


def _pad(before: str) -> str:
    """As wide as the text before; tabs stay tabs."""
    return "".join("\t" if letter == "\t" else " " for letter in before)


def _length(finding: Finding, text: str, start: int) -> int:
    return max(1, min(finding.length or 1, len(text) - start))


def _mended(finding: Finding, text: str, start: int) -> str:
    """The line with the right words in place of the wrong ones; quotes around them stay."""
    if not finding.instead:
        return ""
    end = start + _length(finding, text, start)
    if text[start : start + 1] in ('"', "'"):
        quote = text[start]
        closing = text.find(quote, start + 1)
        start, end = start + 1, closing if closing > start else end
    return text[:start] + finding.instead + text[end:]


def _added(finding: Finding, text: str) -> list[str]:
    if finding.instead:
        return []
    indent = " " * (finding.at.column - 1)
    if finding.code == "L111" and "key" in finding.values:
        return [f"{indent}{finding.values.get('name', finding.values['key'])}: …"]
    if finding.code == "L141":
        return [f"{indent}{finding.values['key']}:", f"{indent}  - say: …"]
    added = ADDED.get(finding.code, ())
    if finding.code == "L150":
        indent = indent[:-2]
    if finding.code == "L142":
        indent += "  " * text[finding.at.column - 1 :].startswith("with:")
    return [indent + line.format_map(finding.values) for line in added]
