"""What people keep about clients: notes, tags, edits of cards, how far somebody has read."""
