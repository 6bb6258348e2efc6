"""leave-a-reply: receives comments, judges them, lets moderators decide, and learns from the decisions."""

__version__ = "0.1.0"
