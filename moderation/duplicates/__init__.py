"""Near-duplicates: found, shown and decided together."""
