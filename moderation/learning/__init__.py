"""Learning: retraining from decisions, promotion, and statistics."""
