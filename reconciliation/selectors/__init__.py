"""Reads of reconciliation, a module a question."""
