"""The reference of the flow language, from the schema and the field types."""

from __future__ import annotations

import re
import sys
from typing import Any

from docs.generating.markdown import behind_the_mark, sentence, table


def flows_page() -> str:
    """The tutorial as it is written, with a fresh reference."""
    return behind_the_mark("flows.md", f"## Reference\n\n{language()}\n{fields()}")


def language() -> str:
    """Every key of the language, one level below the page's own headings."""
    from bot.schema import reference

    return re.sub(r"^(#+) ", r"#\1 ", reference("en"), flags=re.MULTILINE)


def fields() -> str:
    """Every field type with the keys of its own."""
    from bot.fields import FIELDS

    rows = ((f"`{one.type}`", purpose(one), keys_of(one), parts_of(one)) for one in FIELDS)
    return "### Field types\n\n" + table(("type", "reads", "keys of its own", "parts after a dot"), rows)


def purpose(kind: Any) -> str:
    """What a module says of itself, without the name in front."""
    doc = (type(kind).__doc__ or "").strip().splitlines()
    module = (sys.modules[type(kind).__module__].__doc__ or "").strip().splitlines()[0]
    return sentence(doc[0] if doc and not doc[0].startswith("One type of") else module.partition(": ")[2] or module)


def keys_of(kind: Any) -> str:
    return ", ".join(f"`{key}`" for key in sorted(kind.keys)) or "—"


def parts_of(kind: Any) -> str:
    return ", ".join(f"`{name}` ({type_})" for name, type_ in kind.parts.items()) or "—"
