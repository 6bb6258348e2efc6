"""Outgoing messages: events, mail and webhooks, stored until they are delivered."""
