"""What reports ask of the event log."""
