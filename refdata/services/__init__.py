"""Doors that change reference data. Batches return issues as values; nothing raises per row."""
