"""For those who must be told: mail and webhooks, kept until they are delivered."""
