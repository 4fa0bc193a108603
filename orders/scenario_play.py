"""Play one path of a scenario against a house and compare row by row, as the format's page says.

A ``House`` is whatever receives our sends and the venue's reports: the pure core here, wire messages and tables in
``venues``. What is compared, and how, is decided in this one place for both.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from kernel.fix import OrdStatus
from kernel.numbers import ZERO, plain
from orders.scenario_file import ScenarioPath, Step


@dataclass(frozen=True, slots=True)
class Seen:
    """What the house says about one order after a row."""

    ord_status: str | None
    order_qty: Decimal | None
    cum_qty: Decimal
    leaves_qty: Decimal
    cl_ord_id: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of a failed path: ``seq field expected got``."""

    seq: int
    field: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.seq} {self.field} {self.expected} {self.got}"


class House(Protocol):
    """The thing under test, empty at the start of each path."""

    def send(self, step: Step, place: int) -> None:
        """We send the D, G, F or H of this row (or refuse to, as our doors would)."""

    def receive(self, step: Step, place: int) -> None:
        """The venue's message of this row arrives; ``place`` (from 1) is its MsgSeqNum."""

    def look(self, order: str, day: int) -> Seen | None:
        """The order under this name ("" is the phoned one) on this trading day; None when no such order exists."""


def play(path: ScenarioPath, house: House, *, spec_version: str) -> tuple[Difference, ...]:
    """Feed the path's rows in order and compare after each inbound row. No differences: the path passed."""
    differences: list[Difference] = []
    for place, step in enumerate(path.steps, start=1):
        if step.direction == "out":
            house.send(step, place)
        elif step.direction == "in":
            before = house.look(step.order, step.day)
            house.receive(step, place)
            if step.is_anomaly:
                continue
            after = house.look(step.order, step.day)
            if step.order and step.order not in path.sent_orders:
                # An order we never sent: whatever is said of it, none may come to exist.
                if after is not None:
                    differences.append(Difference(step.seq, "order", "none", step.order))
                continue
            differences.extend(_compare(step, before, after, spec_version))
    return tuple(differences)


def _compare(step: Step, before: Seen | None, after: Seen | None, spec_version: str) -> list[Difference]:
    if after is None:
        return [Difference(step.seq, "order", step.order or "phoned", "none")]
    pairs: list[tuple[str, str, str]] = []
    if "ordstatus" in step.text:
        pairs.append(("ordstatus", _in_44(step.text["ordstatus"], spec_version), after.ord_status or "none"))
    # An order by cash amount has no quantity of shares yet; sources print that as 0.
    got_numbers = {"orderqty": after.order_qty or ZERO, "cumqty": after.cum_qty, "leavesqty": after.leaves_qty}
    for field, got in got_numbers.items():
        if field in step.number:
            pairs.append((field, plain(step.number[field]), plain(got)))
    expected_id = _expected_cl_ord_id(step, before)
    if expected_id is not None:
        pairs.append(("clordid", expected_id, after.cl_ord_id or "none"))
    return [Difference(step.seq, field, expected, got) for field, expected, got in pairs if expected != got]


def _in_44(ord_status: str, spec_version: str) -> str:
    """The house speaks 4.4, where a replaced order without fills is New; only 4.2 calls it Replaced."""
    return OrdStatus.NEW if spec_version == "4.2" and ord_status == OrdStatus.REPLACED else ord_status


def _expected_cl_ord_id(step: Step, before: Seen | None) -> str | None:
    """The working ClOrdID this row implies, or None where the row says nothing about it."""
    named = step.text.get("clordid")
    orig = step.text.get("origclordid")
    was_canceled = before is not None and before.ord_status == OrdStatus.CANCELED
    if named is None or step.is_status_answer or was_canceled:
        return None
    kind = step.text.get("exectype")
    if kind != "5" and orig is not None and (step.msg == "9" or kind in ("6", "E", "4", "8")):
        return orig
    return named
