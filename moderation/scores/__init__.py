"""For programs that want a score and keep their comments themselves."""
