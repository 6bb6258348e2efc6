"""leave-a-reply: receive replies, judge them, let people decide, learn from the decisions."""

__version__ = "0.1.0"
