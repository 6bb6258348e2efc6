"""Near-duplicates: found, shown and decided as one."""
