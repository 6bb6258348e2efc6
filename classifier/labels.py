"""The label names, shared by both packages. Imports nothing."""

LABELS: tuple[str, ...] = ("spam", "toxicity", "severe_toxicity", "obscene", "threat", "insult", "identity_attack")
"""In the order of the model's columns. A text may have several labels; a text with none is ham."""

Scores = dict[str, float]
"""Label to probability in 0..1."""
