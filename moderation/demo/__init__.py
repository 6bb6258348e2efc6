"""The demo site of `make serve`."""
