"""Evaluation: every figure of a model on rows that it never saw. Never shipped to a server."""
