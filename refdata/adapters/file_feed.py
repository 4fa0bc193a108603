"""A recorded feed played again from a file of lines, as fast as it was recorded: for demonstrations, drills and tests.

Times are moved so that the first line happens now; what the lines say is untouched. At its end the feed is lost, and
falls silent like any other.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from kernel.clock import utc_now
from kernel.ids import new_id
from refdata.adapters.base import FeedLost, FeedWords
from refdata.adapters.lines import LineReader


class FileFeed:
    """Plays ``path`` once; FeedLost when there is no such file, or its first line has no time."""

    def __init__(
        self, path: Path, *, clock: Callable[[], datetime] = utc_now, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.session = new_id()
        self._now, self._sleep = clock, sleep
        self._reader = LineReader()
        try:
            lines = path.read_text().splitlines()
            first = datetime.fromisoformat(json.loads(lines[0])["at"])
            self._shift: timedelta = clock() - first
        except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
            raise FeedLost(f"{path} cannot be played: {error}") from error
        self._lines = _timed(lines, first)
        self._next = next(self._lines, None)

    def read(self, *, timeout_s: float) -> FeedWords:
        """The lines that are due; waits up to ``timeout_s`` when none is."""
        if self._next is None:
            raise FeedLost("the recording is over")
        due = self._due()
        if not due:
            self._sleep(timeout_s)
            due = self._due()
        words = self._reader.take(due)
        heard_at = words.heard_at + self._shift if words.heard_at else None
        ticks = [replace(tick, made_at=tick.made_at + self._shift) for tick in words.ticks]
        return replace(words, ticks=ticks, heard_at=heard_at)

    def close(self) -> None:
        """Nothing is held open."""

    def _due(self) -> list[str]:
        until = self._now() - self._shift
        due = []
        while self._next is not None and self._next[0] <= until:
            due.append(self._next[1])
            self._next = next(self._lines, None)
        return due


def _timed(lines: list[str], first: datetime) -> Iterator[tuple[datetime, str]]:
    """Each line with the time it was said at; one without a time belongs to the moment of the line before."""
    at = first
    for line in lines:
        with suppress(ValueError, KeyError, TypeError):  # the reader says that it cannot be read
            at = max(datetime.fromisoformat(json.loads(line)["at"]), at)
        yield at, line
