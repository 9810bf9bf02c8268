"""Who is who: joins of clients, the codes that prove them, and what it takes to undo a join exactly."""
