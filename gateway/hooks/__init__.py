"""Outgoing webhooks: other systems are told of sessions and tickets, signed, in order, again until they take it."""
