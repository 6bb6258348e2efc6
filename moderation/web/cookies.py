"""The session cookie: its name, for whoever reads it before the request is understood."""

from __future__ import annotations

COOKIE = "moderation_session"
