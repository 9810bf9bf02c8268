"""`frontline texts export LANG`: the strings of the flows for translators."""

from __future__ import annotations

