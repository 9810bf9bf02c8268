"""Joins without a store: what a refusal tells whoever catches it."""

from __future__ import annotations

import pytest

from core.joins import JoinRefused


@pytest.mark.parametrize(("why", "detail"), [("same", 0), ("part", 7), ("later", 12)])
def test_a_refusal_names_its_cause_and_the_row_behind_it(why: str, detail: int) -> None:
    refused = JoinRefused(why, detail) if detail else JoinRefused(why)
    assert isinstance(refused, ValueError)
    assert (refused.why, refused.detail, str(refused)) == (why, detail, why)
