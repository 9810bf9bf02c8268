"""Measurements: the product beside a hand-written bot, in one run on one machine."""
