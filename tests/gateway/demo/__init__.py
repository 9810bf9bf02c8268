"""The demo: its past, its accounts, and what it never touches."""
