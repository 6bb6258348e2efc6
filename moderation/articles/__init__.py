"""Articles: registration, page metadata, and related articles."""
