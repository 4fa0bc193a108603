"""From what happened to what is sent: writes the truth first, then lets the script decide how each report travels.

Nothing reaches the engine before its line is written. Waiting reports and deeds keep their order by due time;
whatever still waits when the process dies is found missing in the engine's store at the next start and sent then.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol

from venues.simulator import interventions
from venues.simulator.floor import TradingFloor
from venues.simulator.misbehaviour import REPORT_DEEDS, Do, Rule, Script
from venues.simulator.reports import Entry
from venues.simulator.truth import Said, TruthFile
from venues.simulator.units import SCALE
from venues.simulator.venue_order import VenueOrder

REORDER_AT_MOST_S = 5.0
AFTER_REPORT_S = 0.2


Amended = Callable[[str, float, datetime], None]
"""Told of an order an execution of which was busted or corrected, after the report was sent (or the script kept it)."""


class Line(Protocol):
    """Where reports go out."""

    def send(self, session: str, report: dict[str, str]) -> None:
        """Send a report, or keep it for a member who is not there."""

    def drop_connection(self, session: str) -> None:
        """Cut the line."""


class Delivery:
    """Publishes the entries of one venue."""

    def __init__(
        self,
        *,
        floor: TradingFloor,
        truth: TruthFile,
        line: Line,
        script: Script,
        amended: Amended = lambda order_id, clock, at: None,
    ) -> None:
        self._amended = amended
        self._floor = floor
        self._truth = truth
        self._line = line
        self._script = script
        self._later: list[tuple[float, int, Callable[[float, datetime], None]]] = []
        self._held: dict[str, list[Entry]] = {}
        self._number = 0

    def publish(self, entries: Iterable[Entry], *, clock: float, at: datetime) -> None:
        """Write entries down, then send them as the script wants. ``clock`` is monotonic seconds."""
        judged = [(entry, self._script.judge(entry)) for entry in entries]
        if not judged:
            return
        said = [Said(entry, silent=rule is not None and rule.do is Do.SILENT) for entry, rule in judged]
        self._truth.append(said, counter=self._floor.counter, at=at)
        for entry, rule in judged:
            if rule is None:
                self._send(entry)
            else:
                self._send_by(rule, entry, clock)
            if entry.kind in ("bust", "correction"):
                self._amended(entry.report["order_id"], clock, at)

    def run_due(self, *, clock: float, at: datetime) -> None:
        """Send and do what was to wait until now."""
        while self._later and self._later[0][0] <= clock:
            _, _, action = heapq.heappop(self._later)
            action(clock, at)

    def do(self, deed: Rule, *, clock: float, at: datetime) -> bool:
        """Carry out a deed of the script on the order it names; False when the venue has no such order."""
        order = self._named(deed)
        if order is not None:
            self.publish(perform(self._floor, deed, order, at=at), clock=clock, at=at)
        return order is not None

    def flush(self, *, clock: float, at: datetime) -> None:
        """Send what still waits; called at the end."""
        for _ in range(len(self._later)):
            heapq.heappop(self._later)[2](clock, at)
        for key in list(self._held):
            self._release(key)

    def _send_by(self, rule: Rule, entry: Entry, clock: float) -> None:
        if rule.do not in REPORT_DEEDS:
            self._send(entry)
            order = self._floor.orders.get(entry.report.get("order_id", ""))
            if order is not None:
                self._wait(
                    clock + (rule.seconds or AFTER_REPORT_S),
                    lambda now, when: self._perform_later(rule, order, now, when),
                )
            return
        match rule.do:
            case Do.DUPLICATE:
                self._send(entry)
                self._line.send(entry.session, entry.report)
            case Do.DELAY:
                self._wait(clock + rule.seconds, lambda now, when: self._send(entry))
            case Do.REORDER:
                key = entry.report.get("order_id", "")
                self._held.setdefault(key, []).append(entry)
                self._wait(clock + REORDER_AT_MOST_S, lambda now, when: self._release(key))
            case Do.DROP:
                self._line.drop_connection(entry.session)
                self._send(entry)

    def _perform_later(self, rule: Rule, order: VenueOrder, clock: float, at: datetime) -> None:
        self.publish(perform(self._floor, rule, order, at=at), clock=clock, at=at)

    def _send(self, entry: Entry) -> None:
        if not entry.report:
            return
        self._line.send(entry.session, entry.report)
        if self._held:
            self._release(entry.report.get("order_id", ""))

    def _release(self, key: str) -> None:
        for entry in self._held.pop(key, ()):
            self._line.send(entry.session, entry.report)

    def _wait(self, due: float, action: Callable[[float, datetime], None]) -> None:
        self._number += 1
        heapq.heappush(self._later, (due, self._number, action))

    def _named(self, deed: Rule) -> VenueOrder | None:
        wanted = deed.when.get("order_id")
        if wanted:
            return self._floor.orders.get(wanted)
        name = deed.when.get("cl_ord_id", "")
        return next((one for one in self._floor.orders.values() if name in one.lineage), None)


def perform(floor: TradingFloor, deed: Rule, order: VenueOrder, *, at: datetime) -> list[Entry]:
    """Do a venue deed to an order; no entries when the order is not in a state for it."""
    latest = next(reversed(order.trades), "")
    match deed.do:
        case Do.BUST:
            return interventions.bust(floor, order, latest, at=at)
        case Do.CORRECT:
            return interventions.correct(floor, order, latest, qty=deed.qty, px=deed.px, at=at)
        case Do.OVER_FILL:
            return interventions.over_fill(floor, order, deed.qty or 100 * SCALE, at=at)
        case Do.UNSOLICITED_CANCEL:
            return interventions.cancel_unasked(floor, order, at=at)
        case Do.REJECT_AFTER_NEW:
            return interventions.reject_late(floor, order, at=at)
        case Do.LATE_FILL:
            return interventions.fill_late(floor, order, deed.qty or 100 * SCALE, at=at)
        case _:
            return []
