"""Scores comments for spam and toxicity, says why, and learns from corrections. Knows nothing of `moderation`."""
