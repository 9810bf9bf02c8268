"""All routes of the API. A role matrix in the tests has a row for each."""

from __future__ import annotations

from gateway.api import (
    accounts,
    audit,
    channels,
    clients,
    conversations,
    deeds,
    flows,
    hooks,
    joining,
    presence,
    queue,
    reports,
    signing,
    sla,
    ticketing,
    tickets,
    tools,
    transfers,
    uploads,
)
from gateway.api.live.door import LIVE
from gateway.api.route import Route

PREFIX = "/api/v1"
ROUTES: tuple[Route, ...] = (
    LIVE,
    *signing.ROUTES,
    *accounts.ROUTES,
    *audit.ROUTES,
    *channels.ROUTES,
    *hooks.ROUTES,
    *conversations.ROUTES,
    *clients.ROUTES,
    *joining.ROUTES,
    *deeds.ROUTES,
    *transfers.ROUTES,
    *uploads.ROUTES,
    *reports.ROUTES,
    *flows.ROUTES,
    *tickets.ROUTES,
    *ticketing.ROUTES,
    *tools.ROUTES,
    *presence.ROUTES,
    *queue.ROUTES,
    *sla.ROUTES,
)
