"""Who people are, what they may do, and when they work."""
