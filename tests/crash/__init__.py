"""Real processes, killed for real at every window between two durable steps."""
