"""Versions of flows that the book was not built with: compiled when a run turns out to need one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.book import Version
from bot.compile import CompiledFlow
from core.deployment import Deployment
from core.ports import Bundle
from gateway.edition import compile_edition, read_edition
from gateway.logs import logger

log = logger()
Find = Callable[[Version], CompiledFlow | None]


class Versions(dict[Version, CompiledFlow]):
    """The versions a book serves. Another process may have begun a run on one that had no runs when the book was built:
    such a version is looked for once, and kept."""

    def __init__(self, known: Mapping[Version, CompiledFlow], find: Find) -> None:
        super().__init__(known)
        self._find = find
        self._gone: set[Version] = set()

    def __missing__(self, version: Version) -> CompiledFlow:
        found = None if version in self._gone else self._find(version)
        if found is None:
            self._gone.add(version)
            raise KeyError(version)
        self[version] = found
        return found

    def get(self, version: Version, default: Any = None) -> Any:
        """As of any mapping, but looked for."""
        try:
            return self[version]
        except KeyError:
            return default


def find_in(bundles: Sequence[Bundle], deployment: Deployment) -> Find:
    """Looks among the sources of these bundles. It costs a second at most, once for a version, and blocks the loop for it."""

    def find(version: Version) -> CompiledFlow | None:
        bundle = next((one for one in bundles if one.versions.get(version[0]) == version[1]), None)
        if bundle is None:
            return None
        edition = read_edition(bundle.sources, deployment)
        if edition.library is None or edition.errors:
            return None
        log.info("version_compiled", flow=version[0], version=version[1])
        return compile_edition(edition, deployment).versions.get(version)

    return find
