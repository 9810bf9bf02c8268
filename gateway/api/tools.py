"""Routes of what people work with: deliveries, canned replies, drafts, mentions, search."""

from __future__ import annotations

from gateway.api import delivery
from gateway.api.route import Route

ROUTES: tuple[Route, ...] = (*delivery.ROUTES,)
