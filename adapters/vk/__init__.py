"""VK: parse and attachments (theirs → ours), render and mentions (ours → theirs), capabilities and verdicts (data), transport."""
