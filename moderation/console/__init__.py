"""For moderators: pages by session with CSRF protection, and the same acts as an API by session or token."""
