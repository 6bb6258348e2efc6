"""Dialects: checks of comments that are kept elsewhere, and the protocols that translate onto them."""
