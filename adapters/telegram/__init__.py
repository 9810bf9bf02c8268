"""Telegram: parse (theirs → ours), render (ours → theirs), capabilities (data), session and channel (transport)."""
