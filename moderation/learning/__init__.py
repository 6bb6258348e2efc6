"""Learning: decisions retrain the classifier, and statistics say how well it does."""
