"""Sites: who publishes, and what each of them has set."""
