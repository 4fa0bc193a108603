"""What the simulated venues say happened, read from their own files: orders as they stand and the trades that count.

The files are written before anything is said to us and by code that shares nothing with ours, so they are what our
tables can be wrong against. A line younger than ``settled_before`` may still be on its way: its order is in motion.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from venues.simulator.truth import read_truth

Trades = dict[str, tuple[Decimal, Decimal]]
_NEVER_SAID = "silent"


@dataclass(slots=True)
class VenueOrder:
    """One order at a venue. ``trades`` are effective figures by the latest ExecID; ``unsaid``: the venue kept a report to itself."""

    state: dict[str, Any]
    trades: Trades = field(default_factory=dict)
    in_motion: bool = False
    unsaid: bool = False

    @property
    def names(self) -> list[str]:
        return list(self.state["lineage"])

    @property
    def is_open(self) -> bool:
        return Decimal(self.state["leaves_qty"]) > 0


def read_venue_orders(directory: Path, *, settled_before: datetime) -> dict[str, VenueOrder]:
    """Every order in the files of every venue, by each ClOrdID it ever had."""
    by_name: dict[str, VenueOrder] = {}
    for venue in sorted(path for path in directory.iterdir() if path.is_dir()):
        orders: dict[str, VenueOrder] = {}
        for line in _lines(venue):
            _read_line(orders, line, settled_before)
        by_name |= {name: order for order in orders.values() for name in order.names}
    return by_name


def _lines(venue: Path) -> Iterator[dict[str, Any]]:
    for path in (*sorted(venue.glob("truth-*.jsonl")), venue / "truth.jsonl"):
        yield from read_truth(path)


def _read_line(orders: dict[str, VenueOrder], line: dict[str, Any], settled_before: datetime) -> None:
    state = line["order"]
    if state is None:
        return
    order = orders.setdefault(state["order_id"], VenueOrder(state))
    order.state = state
    order.unsaid = order.unsaid or line["delivery"] == _NEVER_SAID
    order.in_motion = datetime.fromisoformat(line["at"]) >= settled_before and line["kind"] != "carried"
    if line["kind"] == "carried":
        order.trades = {name: (Decimal(qty), Decimal(px)) for name, (qty, px) in line["trades"].items()}
    trade = line["execution"]
    if trade is not None:
        if trade["exec_ref_id"]:
            order.trades.pop(trade["exec_ref_id"], None)
        qty = Decimal(0) if line["kind"] == "bust" else Decimal(trade["last_qty"])
        order.trades[trade["exec_id"]] = (qty, Decimal(trade["last_px"]))
