"""The live socket of people at work: what changed, in order and complete; who is looking and typing; nothing they may not see."""
