"""Live rows on their way to browsers: gathered, the last one of each order kept, encoded once for all who may see them.

A *scope* is the pair (desk id, account group id) that decides visibility. A *frame* is server-sent-event text.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Scope = tuple[int, int]

RESYNC = "resync"


def frame(event: str, data: Mapping[str, Any], *, position: int | None = None) -> bytes:
    """One server-sent event; ``position`` becomes its id."""
    head = f"id: {position}\n" if position is not None else ""
    return f"{head}event: {event}\ndata: {json.dumps(data, separators=(',', ':'), ensure_ascii=False)}\n\n".encode()


@dataclass(frozen=True, slots=True)
class Batch:
    """What changed up to ``position``: for each scope the encoded rows, joined by commas."""

    position: int
    rows: Mapping[Scope, bytes]

    def frame_for(self, desks: Collection[int], groups: Collection[int]) -> bytes | None:
        """The event for somebody who sees these desks and account groups, or None when nothing is for them."""
        parts = [rows for (desk, group), rows in self.rows.items() if desk in desks and group in groups]
        if not parts:
            return None
        return b'id: %d\nevent: rows\ndata: {"position":%d,"rows":[%b]}\n\n' % (
            self.position,
            self.position,
            b",".join(parts),
        )


class Gatherer:
    """Collects rows for a moment; of several changes of one order only the last goes out."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[Scope, list[Any]]] = {}
        self._position = 0

    def add(self, position: int, rows: Iterable[Mapping[str, Any]]) -> None:
        """Rows as published: ``{"d": desk id, "g": group id, "r": [values]}``; the first value is the key."""
        self._position = max(self._position, position)
        for row in rows:
            self._rows.pop(row["r"][0], None)
            self._rows[row["r"][0]] = ((row["d"], row["g"]), row["r"])

    def take(self) -> Batch | None:
        """All that was gathered, encoded once, or None."""
        if not self._rows:
            return None
        by_scope: dict[Scope, list[str]] = {}
        for scope, row in self._rows.values():
            by_scope.setdefault(scope, []).append(json.dumps(row, separators=(",", ":"), ensure_ascii=False))
        self._rows = {}
        return Batch(self._position, {scope: ",".join(rows).encode() for scope, rows in by_scope.items()})


class Ring:
    """The latest batches, to answer who was away for a moment. Bounded by count."""

    def __init__(self, size: int) -> None:
        self._batches: deque[Batch] = deque(maxlen=size)
        self._from: int | None = None

    def start(self, position: int) -> None:
        """Forget everything; from ``position`` on nothing is missing."""
        self._batches.clear()
        self._from = position

    def put(self, batch: Batch) -> None:
        if len(self._batches) == self._batches.maxlen:
            self._from = self._batches[0].position
        self._batches.append(batch)

    def since(self, position: int) -> list[Batch] | None:
        """Batches behind ``position``, or None when some may be missing: the reader needs a snapshot."""
        if self._from is None or position < self._from:
            return None
        return [batch for batch in self._batches if batch.position > position]


class Sequence:
    """Watches the publisher's numbering: a new epoch or a jump means something was lost on the way."""

    def __init__(self) -> None:
        self._epoch = ""
        self._number = 0

    def next_is(self, epoch: str, number: int) -> bool:
        """True when this message follows the last one. The first message ever heard always does."""
        fits = not self._epoch or (epoch == self._epoch and number == self._number + 1)
        self._epoch, self._number = epoch, number
        return fits
