"""Learning: retraining from decisions, shadow mode, and statistics."""
