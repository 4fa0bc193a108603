"""Seats for callers who wait for the next event: few a process, one a caller, so that waiting never starves the rest."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

SEATS = 2


class WaitingRoom:
    """Threads of one process. A caller without a seat is answered at once with what there is."""

    def __init__(self, seats: int = SEATS) -> None:
        self._seats = seats
        self._taken: set[str] = set()
        self._lock = threading.Lock()

    @contextmanager
    def seat(self, caller: str) -> Iterator[bool]:
        """True while the caller may wait; False when all seats, or the caller's only one, are taken."""
        with self._lock:
            seated = len(self._taken) < self._seats and caller not in self._taken
            if seated:
                self._taken.add(caller)
        try:
            yield seated
        finally:
            if seated:
                with self._lock:
                    self._taken.discard(caller)
