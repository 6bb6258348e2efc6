"""The queue: what waits for moderators, and what they do with it."""
