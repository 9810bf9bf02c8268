"""The human side, deciding part: lines, hours, the queue and the life of a session. Pure: effects go out as values."""
