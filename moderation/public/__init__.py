"""For readers, and for the pages they read. No cookie, no credentials."""
