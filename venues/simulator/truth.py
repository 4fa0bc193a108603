"""The venue's own truth: an append-only file of JSON lines, written before anything is said.

One line per report or change of an order: ``n`` (line number), ``at``, ``counter`` (ids given out so far), ``kind``
(order, execution, bust, correction, triggered, request_rejected, carried, day), ``session``, ``delivery`` (sent, or
silent when scripted misbehaviour swallowed the report), ``report`` (FIX field names to text), ``order`` (its state
after this line), ``execution`` (exec_id, exec_ref_id, last_qty, last_px, kind), ``trades`` (only on carried lines:
all executions of the order so far).

A line is handed to the operating system before its report is, so it survives the death of the process; ``sync``
makes it survive the death of the machine and is called about once a second, off the matching thread. The first
incomplete line ends what is read.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson

from venues.simulator.reports import Entry
from venues.simulator.units import to_text
from venues.simulator.venue_order import VenueOrder, snapshot

NAME = "truth.jsonl"
ROLL_BYTES = 16 * 1024 * 1024
KEPT_FILES = 20
CARRIED_ENDED = 2_000


@dataclass(frozen=True, slots=True)
class Said:
    """An entry and whether its report is to reach the member at all."""

    entry: Entry
    silent: bool = False


class TruthFile:
    """The file of one venue, open for appending. ``directory`` must exist; ``found`` holds what it said before."""

    def __init__(self, directory: Path, *, roll_bytes: int = ROLL_BYTES) -> None:
        self.path = directory / NAME
        self._roll_bytes = roll_bytes
        self._lock = threading.Lock()  # between sync and the change of files
        self._finish_roll()
        self.found: list[dict[str, Any]] = []
        keep = 0
        for line, end in _lines_of(self.path):
            self.found.append(line)
            keep = end
        self._lines = self.found[-1]["n"] if self.found else 0
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.ftruncate(self._file, keep)

    def append(self, said: Iterable[Said], *, counter: int, at: datetime) -> None:
        """Write entries as one piece. A status answer changes nothing and is not written."""
        moment = at.isoformat()
        rows = [
            {
                "at": moment,
                "counter": counter,
                "kind": one.entry.kind,
                "session": one.entry.session,
                "delivery": "silent" if one.silent else "sent",
                "report": one.entry.report,
                "order": one.entry.order,
                "execution": one.entry.execution,
                "trades": {},
            }
            for one in said
            if one.entry.kind not in ("status", "reject")
        ]
        self._write(rows)

    def note_day(self, mic: str, trade_date: str, *, counter: int, at: datetime) -> None:
        """Write that a market began a trade date."""
        self._write([_bare("day", at, counter) | {"mic": mic, "trade_date": trade_date}])

    def sync(self) -> None:
        """Make everything written so far survive the death of the machine. May be called from another thread."""
        with self._lock:
            os.fsync(self._file)

    def close(self) -> None:
        """Sync and close."""
        self.sync()
        os.close(self._file)

    def is_long(self) -> bool:
        """Whether it is time to ``roll``."""
        return os.fstat(self._file).st_size >= self._roll_bytes

    def roll(self, orders: Iterable[VenueOrder], dates: Mapping[str, date], *, counter: int, at: datetime) -> None:
        """Move the file aside, keep the newest few of those, and begin anew with orders as they stand.

        Open orders and the latest that ended are carried over.
        """
        fresh = self.path.with_suffix(".new")
        old = self._file
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        with self._lock:
            self._file = file
            os.fsync(old)
            os.close(old)
        known = list(orders)
        ended = [one for one in known if not one.is_open][-CARRIED_ENDED:]
        self._carry([*ended, *(one for one in known if one.is_open)], counter=counter, at=at)
        for mic, trade_date in dates.items():
            self.note_day(mic, trade_date.isoformat(), counter=counter, at=at)
        self.path.rename(self.path.with_name(f"truth-{at:%Y%m%d-%H%M%S-%f}.jsonl"))
        fresh.rename(self.path)
        for surplus in sorted(self.path.parent.glob("truth-*.jsonl"))[:-KEPT_FILES]:
            surplus.unlink()

    def _finish_roll(self) -> None:
        """A roll cut short: the new file counts once the old one has been moved away, and not before."""
        fresh = self.path.with_suffix(".new")
        if fresh.exists():
            if self.path.exists():
                fresh.unlink()
            else:
                fresh.rename(self.path)

    def _carry(self, orders: Iterable[VenueOrder], *, counter: int, at: datetime) -> None:
        rows = []
        for order in orders:
            trades = {key: [to_text(one.qty), to_text(one.px)] for key, one in order.trades.items()}
            carried = {"session": order.session, "order": snapshot(order), "trades": trades}
            rows.append(_bare("carried", at, counter) | carried)
        self._write(rows)

    def _write(self, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        pieces = []
        for row in rows:
            self._lines += 1
            pieces.append(orjson.dumps({"n": self._lines, **row}))
        data = b"\n".join(pieces) + b"\n"
        while data:
            data = data[os.write(self._file, data) :]


def read_truth(path: Path) -> Iterator[dict[str, Any]]:
    """Lines of a truth file, oldest first; nothing when it does not exist."""
    for line, _ in _lines_of(path):
        yield line


def last_days(lines: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The last trade date each market began."""
    return {line["mic"]: line["trade_date"] for line in lines if line["kind"] == "day"}


def _bare(kind: str, at: datetime, counter: int) -> dict[str, Any]:
    return {
        "at": at.isoformat(),
        "counter": counter,
        "kind": kind,
        "session": "",
        "delivery": "sent",
        "report": {},
        "order": None,
        "execution": None,
        "trades": {},
    }


def _lines_of(path: Path) -> Iterator[tuple[dict[str, Any], int]]:
    """Complete lines with the offset each ends at."""
    if not path.exists():
        return
    end = 0
    with path.open("rb") as file:
        for raw in file:
            if not raw.endswith(b"\n"):
                return
            try:
                line: dict[str, Any] = orjson.loads(raw)
            except orjson.JSONDecodeError:
                return
            end += len(raw)
            yield line, end
