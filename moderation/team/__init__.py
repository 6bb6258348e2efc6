"""The team: moderators, sessions, second factors, tokens."""
