"""The list that every planted bug puts itself on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Planting = Callable[[], Any]
BUGS: dict[str, Planting] = {}


def bug(plant: Callable[[], Iterator[None]]) -> Planting:
    """Put it on the list under its name."""
    BUGS[plant.__name__] = contextmanager(plant)
    return BUGS[plant.__name__]
