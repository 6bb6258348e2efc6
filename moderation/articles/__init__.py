"""Articles: registered, described, and related to one another."""
