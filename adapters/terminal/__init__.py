"""The terminal as a channel: one person at a keyboard, for `frontline talk`."""
