"""Hints: in the process, and through a real Redis."""
