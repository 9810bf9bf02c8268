"""Search: an index beside the store, which it follows. FTS5 in a file of its own for SQLite, full text for PostgreSQL."""
