"""The feed of what changed for people: numbered after the commit, read behind a number, trimmed; and who it is sent to."""
