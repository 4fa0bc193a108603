"""Deterministic simulation: seeded scenarios of venues, wire and crashes against the real core, judged by the venue's truth."""
