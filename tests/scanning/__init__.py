"""Scanners of others, let loose on a running house of its own."""
