"""Hints of a deployment: the way to Redis when one is configured, watched by the log and a metric."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from core.ports import Hints
from gateway.config.model import Config
from gateway.logs import logger
from gateway.metrics import Metrics
from storage.hints import open_hints

log = logger()


def build_hints(config: Config, metrics: Metrics) -> Hints:
    """The hints of the configuration, not opened yet."""
    return open_hints(
        config.redis.url, prefix=config.redis.prefix, salt=deployment_salt(config), changed=watch(config, metrics)
    )


def deployment_salt(config: Config) -> str:
    """What every process of the deployment knows and Redis does not: the database's password and the names beside it.

    The address itself is no part of it: processes may reach one database by different ones.
    """
    return f"{config.redis.prefix}\n{urlsplit(config.storage.url).password or ''}"


def watch(config: Config, metrics: Metrics) -> Callable[[str, str], None]:
    """Hears the states of the way to Redis. Addresses stay out of the log: they may hold a password."""
    if config.redis.url:
        metrics.hints.set(1)

    def changed(state: str, why: str) -> None:
        metrics.hints.set(state == "closed")
        if state == "closed":
            log.info("hints_back")
        else:
            log.warning("hints_lost" if state == "open" else "hints_refused", error_type=why)

    return changed
