"""Bots to compare with, as one would write them by hand."""
