"""Lists of sessions and pages of talks, as people at work ask for them."""
