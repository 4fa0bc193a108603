"""A promise that does not hold, in words."""

from __future__ import annotations


class Broken(Exception):
    """Raised by whoever sees it first; the sentence says what is and what should be."""


def require(holds: bool, sentence: str) -> None:
    """Raise Broken unless it holds."""
    if not holds:
        raise Broken(sentence)
