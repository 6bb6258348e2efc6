"""Sites, articles, and each site's settings."""
