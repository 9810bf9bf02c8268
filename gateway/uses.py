"""What live runs need of the configuration: a line, a desk or a call that one still uses cannot be taken away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from core.findings import Finding, Position
from core.locale import n_
from gateway.edition import Edition

Runs = Mapping[str, Mapping[str, int]]  # flow → version → live runs

# What the reader says of a name that the configuration lacks → what it means for those who run on it.
GONE = {
    "L106": n_("the line «{name}» is gone, but {runs} live runs of «{flow}» (version {version}) use it"),
    "L108": n_("the call «{name}» is gone, but {runs} live runs of «{flow}» (version {version}) use it"),
    "L109": n_("the desk «{name}» is gone, but {runs} live runs of «{flow}» (version {version}) use it"),
}
MEND = n_("keep it until they end, or take it away after `frontline publish --urgent`")


def check_uses(editions: Iterable[Edition], prefix: str, runs: Runs, config: str) -> Iterator[Finding]:
    """C170 for each thing that is gone from the config while live runs need it. `prefix` is that of the findings."""
    for edition in editions:
        for finding in edition.findings:
            if finding.code not in GONE:
                continue
            flow = finding.at.file.removeprefix(prefix).removesuffix(".yaml")
            version = edition.versions.get(flow, "")
            count = runs.get(flow, {}).get(version, 0)
            if count:
                values = {"name": finding.values["name"], "flow": flow, "version": version, "runs": count}
                yield Finding(at=Position(config), code="C170", what=GONE[finding.code], mend=MEND, values=values)
