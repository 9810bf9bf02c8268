"""What people work with: sessions as lists see them, the feed of what changed, and what further parts keep for people."""
