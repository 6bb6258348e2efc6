"""Transfer: imports, exports and backups."""
