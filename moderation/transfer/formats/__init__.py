"""Readers of other systems' exports, one module for each. A reader turns a file into a stream of records."""
