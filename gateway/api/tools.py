"""Routes of what people work with: deliveries, canned replies, drafts, mentions, search."""

from __future__ import annotations

from gateway.api import delivery, drafts, mentions, replies, search, speaking
from gateway.api.route import Route

ROUTES: tuple[Route, ...] = (
    *speaking.ROUTES,
    *delivery.ROUTES,
    *replies.ROUTES,
    *drafts.ROUTES,
    *mentions.ROUTES,
    *search.ROUTES,
)
