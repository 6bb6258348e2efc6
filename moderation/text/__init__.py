"""Texts: Markdown and WordPress's HTML to safe pages, addresses checked, word lists."""
