"""How the house says no: one sentence, one exit code. 0 holds, 1 finding, 2 bad input, 3 cannot run."""

from __future__ import annotations

HOLDS = 0
FINDING = 1
BAD_INPUT = 2
CANNOT_RUN = 3


class CannotRun(Exception):
    """Something the house needs is not there. The text is one sentence that ends with the way out."""


class BadInput(Exception):
    """What was asked for makes no sense. The text is one sentence."""
