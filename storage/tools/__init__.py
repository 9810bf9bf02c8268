"""What people work with beside the conversation itself: canned replies, drafts, mentions, and how a message was delivered."""
