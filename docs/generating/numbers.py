"""The reference of numbers, reports and facts, from the registry that computes them."""

from __future__ import annotations

from docs.generating.markdown import behind_the_mark, table


def metrics_page() -> str:
    """What is said of counting as it is written, with all reports, numbers and facts."""
    return behind_the_mark("metrics.md", f"{numbers()}\n{reports()}\n{facts()}")


def numbers() -> str:
    """The registry that computes the numbers."""
    from handoff.metrics import METRICS

    rows = ((f"`{one.name}`", one.title, UNIT_WORDS[one.unit], one.about) for one in METRICS.values())
    return "## Numbers\n\n" + table(("name", "title", "is", "definition"), rows)


UNIT_WORDS = {
    "count": "a sum",
    "different": "a number of different ones",
    "share": "a share",
    "mean": "a mean",
    "seconds": "durations in seconds: mean, median, 90th percentile, total",
}


def reports() -> str:
    """The reports and the numbers in each."""
    from handoff.metrics import REPORTS

    rows = (
        (f"`{one.name}`", one.title, one.by, ", ".join(f"`{name}`" for name in one.metrics)) for one in REPORTS.values()
    )
    return "## Reports\n\n" + table(("name", "title", "by", "numbers"), rows)


def facts() -> str:
    """Every kind of fact with its fields."""
    from handoff.metrics_facts import FACTS

    rows = (
        (f"`{kind}`", one.about, "; ".join(f"`{name}`: {what}" for name, what in one.fields.items()) or "—")
        for kind, one in FACTS.items()
    )
    return "## Facts\n\n" + table(("kind", "what happened", "fields"), rows)
