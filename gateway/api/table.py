"""All routes of the API. A role matrix in the tests has a row for each."""

from __future__ import annotations

from gateway.api import accounts, deeds, signing
from gateway.api.route import Route

PREFIX = "/api/v1"
ROUTES: tuple[Route, ...] = (*signing.ROUTES, *accounts.ROUTES, *deeds.ROUTES)
