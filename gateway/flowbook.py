"""What was published, as people look at it: editions, the versions of a flow, which runs are on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.ports import Bundle
from gateway.edition import URGENT, Urgency
from gateway.uses import Runs


@dataclass(frozen=True)
class Published:
    """An edition. `changed` are flows that the edition before had otherwise, `runs` live runs of versions that no later
    edition has."""

    id: str
    published_at: float
    current: bool
    versions: Mapping[str, str]
    changed: tuple[str, ...]
    runs: int
    urgent: Urgency | None


@dataclass
class Editions:
    """All editions that are kept, the one that serves first, then the newest; with live runs by flow and version."""

    bundles: list[Bundle] = field(default_factory=list)
    runs: Runs = field(default_factory=dict)

    @classmethod
    def of(cls, bundles: Sequence[Bundle], runs: Runs) -> Editions:
        ordered = sorted(bundles, key=lambda it: (it.current, it.published_at), reverse=True)
        return cls(ordered, runs)

    @property
    def current(self) -> Bundle | None:
        return next((it for it in self.bundles if it.current), None)

    def find(self, id: str) -> Bundle | None:
        """The edition of this hash; the current one for an empty hash."""
        return next((it for it in self.bundles if it.id == id), None) if id else self.current

    def published(self) -> list[Published]:
        found, later = list[Published](), set[tuple[str, str]]()
        for n, bundle in enumerate(self.bundles):
            before = self.bundles[n + 1].versions if n + 1 < len(self.bundles) else {}
            mine = set(bundle.versions.items())
            changed = tuple(sorted(flow for flow, version in mine if before.get(flow) != version))
            runs = sum(self.runs.get(flow, {}).get(version, 0) for flow, version in mine - later)
            urgent = Urgency.read(bundle.sources[URGENT]) if URGENT in bundle.sources else None
            later |= mine
            made = (bundle.id, bundle.published_at, bundle.current, bundle.versions, changed, runs, urgent)
            found.append(Published(*made))
        return found

    def since(self, flow: str, version: str) -> float:
        """When a version of a flow went live, 0 when its edition is kept no more."""
        times = [it.published_at for it in self.bundles if it.versions.get(flow) == version]
        return min(times, default=0.0)
