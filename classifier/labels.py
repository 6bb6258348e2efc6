"""The label names: the words that both packages share. Imports nothing."""

LABELS: tuple[str, ...] = ("spam", "toxicity", "severe_toxicity", "obscene", "threat", "insult", "identity_attack")
"""In the order of the model's columns. Labels are not exclusive; a text that none fits is ham."""

Scores = dict[str, float]
"""Label to probability in 0..1."""
