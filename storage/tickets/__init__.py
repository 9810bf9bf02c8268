"""Tickets: their further tables, the rules of every change, what is asked of them."""
