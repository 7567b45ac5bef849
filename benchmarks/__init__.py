"""Measurements; `make bench` runs them all. No test depends on them."""
