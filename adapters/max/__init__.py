"""MAX: a bot of the messenger by its official API, webhook or long polling."""
