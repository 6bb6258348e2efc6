"""The session cookie's name, for code that reads it before the request is parsed."""

from __future__ import annotations

COOKIE = "moderation_session"
