"""The queue: pending comments, and moderators' acts on them."""
