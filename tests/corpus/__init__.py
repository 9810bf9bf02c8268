"""Captured payloads of messengers, what our parsers make of them, and of what chance makes of them."""
