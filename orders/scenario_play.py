"""Play one path of a scenario against a house and compare row by row, as the format's page says.

A ``House`` is whatever receives our sends and the venue's reports: the pure core here, wire messages and tables in
``venues``. What is compared, and how, is decided in this one place for both. ``orders.scenario_disorder`` plays the
same paths in any order and compares their ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
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


class Copy(Enum):
    """Which delivery of a message it is."""

    FIRST = "as it is"
    POSS_DUP = "under the same MsgSeqNum, PossDupFlag (43) Y"
    POSS_RESEND = "under a new MsgSeqNum, PossResend (97) Y"


RESENT_FROM = 1_000  # a resent row stands this far behind its first copy, thus behind all rows of its path


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way to the house: its row, the place of the row (from 1), and which copy it is."""

    step: Step
    place: int
    copy: Copy = Copy.FIRST

    @property
    def msg_seq_num(self) -> int:
        """A row's place; a resend has a number of its own."""
        return self.place + (RESENT_FROM if self.copy is Copy.POSS_RESEND else 0)

    @property
    def poss_resend(self) -> bool:
        """PossResend (97), from the row or because this is a resend of it."""
        return self.copy is Copy.POSS_RESEND or self.step.text.get("possresend") == "Y"


@dataclass(frozen=True, slots=True)
class End:
    """What the house says about one order at the end: its state, average price and (ExecID, quantity, price) of each
    execution that still counts."""

    seen: Seen
    avg_px: Decimal
    executions: tuple[tuple[str, Decimal, Decimal], ...]


class House(Protocol):
    """The thing under test, empty at the start of each path."""

    def send(self, step: Step, place: int) -> None:
        """We send the D, G, F or H of this row (or refuse to, as our doors would)."""

    def receive(self, deliveries: Sequence[Delivery]) -> None:
        """The venue's messages arrive in this order, as one batch."""

    def look(self, order: str, day: int) -> Seen | None:
        """The order under this name ("" is the phoned one) on this trading day; None when no such order exists."""

    def end(self, order: str, day: int) -> End | None:
        """As :meth:`look`, with everything that must not depend on the order of arrival."""


def copies_of(step: Step, place: int, *, twice: bool) -> tuple[Delivery, ...]:
    """The deliveries of a row: one, or with ``twice`` also a plain, a PossDup and a PossResend duplicate."""
    first = Delivery(step, place)
    if not twice:
        return (first,)
    return (first, first, Delivery(step, place, Copy.POSS_DUP), Delivery(step, place, Copy.POSS_RESEND))


def play(path: ScenarioPath, house: House, *, spec_version: str, twice: bool = False) -> tuple[Difference, ...]:
    """Feed the path's rows in order and compare after each row, and again after its copies. No differences: the path passed."""
    differences: list[Difference] = []
    for place, step in enumerate(path.steps, start=1):
        if step.direction == "out":
            house.send(step, place)
        elif step.direction == "in":
            before = house.look(step.order, step.day)
            first, *again = copies_of(step, place, twice=twice)
            house.receive([first])
            found = _differences(path, house, step, before, spec_version)
            if again:
                house.receive(again)
                told_again = _differences(path, house, step, before, spec_version)
                found += [difference for difference in told_again if difference not in found]
            differences += found
    return tuple(differences)


def _differences(
    path: ScenarioPath, house: House, step: Step, before: Seen | None, spec_version: str
) -> list[Difference]:
    if step.is_anomaly:
        return []
    after = house.look(step.order, step.day)
    if step.order and step.order not in path.sent_orders:
        # An order we never sent: whatever is said of it, none may come to exist.
        return [] if after is None else [Difference(step.seq, "order", "none", step.order)]
    return _compare(step, before, after, spec_version)


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
