"""Intake: a comment arrives by JSON, a form, WordPress's form or the embed, and is stored with its verdict."""
