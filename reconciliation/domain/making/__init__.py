"""Counterpart files out of our own books, with breaks planted in them that are known beforehand. Pure."""
