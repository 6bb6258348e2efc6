"""Texts: Markdown and WordPress's HTML → safe HTML; addresses; word lists."""
