"""Mistakes people make in systems like ours, planted one at a time into the real core or the pipeline around it.

Each is a context manager that holds while a seed is played; a module holds those of one kind. A bug that no seed finds
would show that generator or promises are too weak.
"""

from __future__ import annotations

from tests.unit.simulation.planted_bugs import sameness, terms, trades, way
from tests.unit.simulation.planted_bugs.planting import BUGS

__all__ = ["BUGS", "sameness", "terms", "trades", "way"]
