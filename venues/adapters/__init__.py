"""Dialects. An adapter turns normalised intents into fields and fields into reports; it decides nothing else."""
