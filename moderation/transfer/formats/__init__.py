"""For those who arrive: one file for each system that they leave. A reader turns its file into a stream of records."""
