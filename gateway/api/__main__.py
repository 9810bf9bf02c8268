"""`python -m gateway.api`: the OpenAPI document, as `/api/v1/openapi.json` gives it."""

from __future__ import annotations

import sys

import orjson

from gateway import version
from gateway.api.openapi import build_document
from gateway.api.table import ROUTES

sys.stdout.buffer.write(orjson.dumps(build_document(ROUTES, version())))
