"""Whether the venue and we hold the same about an order after a logon. Pure; every rule of the comparison is here.

The venue's answer is compared with our state as it was where the answer stands in the venue's own stream: what came
before it counts on both sides, what came after it on neither. Only what the venue said is compared. A status as such is
not: names of the same life differ by venue; whether the order still works does not.

Never: a fill inferred from CumQty, a cancel inferred from absence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

ANSWER_WITHIN = timedelta(seconds=30)
"""A recovery that has not ended by then is told to a person; the gate stays."""
FATE_WITHIN = timedelta(seconds=10)
"""How long single questions of a recovery may stay unanswered before the order counts as different."""

_OVER = frozenset("24C8")


class Phase(StrEnum):
    """How far a recovery is. ``equal`` and ``different`` are its ends; ``superseded``: another logon began anew."""

    ASKING = "asking"
    COMPARING = "comparing"
    EQUAL = "equal"
    DIFFERENT = "different"
    SUPERSEDED = "superseded"


class Kind(StrEnum):
    """In what venue and house differ about an order."""

    EXECUTION_MISSING = "EXECUTION_MISSING"
    EXECUTION_SURPLUS = "EXECUTION_SURPLUS"
    TERMS_DIFFER = "TERMS_DIFFER"
    LIFE_DIFFERS = "LIFE_DIFFERS"
    UNKNOWN_AT_VENUE = "UNKNOWN_AT_VENUE"
    NO_ANSWER = "NO_ANSWER"
    NOT_OURS = "NOT_OURS"


SENTENCES: dict[Kind, str] = {
    Kind.EXECUTION_MISSING: "the venue has executed more than it has reported to us",
    Kind.EXECUTION_SURPLUS: "we hold more executed than the venue does",
    Kind.TERMS_DIFFER: "quantity or price at the venue are not ours",
    Kind.LIFE_DIFFERS: "it works on one side and is over on the other",
    Kind.UNKNOWN_AT_VENUE: "the venue acknowledged it before and does not know it now",
    Kind.NO_ANSWER: "the venue does not list it and does not say what became of it",
    Kind.NOT_OURS: "the venue lists it and it is none of ours",
}


@dataclass(frozen=True, slots=True)
class AtVenue:
    """What one status answer says. None where it says nothing. ``seq`` is its place in the epoch."""

    cl_ord_id: str
    asked_for: str
    venue_order_id: str
    ord_status: str
    order_qty: Decimal | None
    cum_qty: Decimal | None
    leaves_qty: Decimal | None
    price: Decimal | None
    seq: int
    wire_message_id: int

    def to_json(self) -> dict[str, str]:
        """For the record and the screen."""
        return _shown(self.ord_status, self.order_qty, self.cum_qty, self.leaves_qty, self.price)


@dataclass(frozen=True, slots=True)
class WithUs:
    """Our state of the order. ``changing``: a replace of ours has no answer, so the terms may be on the way."""

    ord_status: str
    order_qty: Decimal | None
    cum_qty: Decimal
    leaves_qty: Decimal
    price: Decimal | None
    changing: bool = False

    def to_json(self) -> dict[str, str]:
        """For the record and the screen."""
        return _shown(self.ord_status, self.order_qty, self.cum_qty, self.leaves_qty, self.price)


def _shown(status: str, *numbers: Decimal | None) -> dict[str, str]:
    names = ("order_qty", "cum_qty", "leaves_qty", "price")
    said = {
        name: format(value.normalize(), "f") for name, value in zip(names, numbers, strict=True) if value is not None
    }
    return {"ord_status": status, **said}


def answer_from(values: Mapping[int, str], *, seq: int, wire_message_id: int, question: str) -> AtVenue:
    """A status answer (35=8) as read; ``question`` is what our OrdStatusReqIDs begin with. ValueError: not a number."""
    asked = values.get(790, "")
    return AtVenue(
        cl_ord_id=values.get(11, ""),
        asked_for=asked.removeprefix(question) if asked.startswith(question) else "",
        venue_order_id="" if values.get(37, "NONE") == "NONE" else values[37],
        ord_status=values.get(39, ""),
        order_qty=_number(values.get(38)),
        cum_qty=_number(values.get(14)),
        leaves_qty=_number(values.get(151)),
        price=_number(values.get(44)),
        seq=seq,
        wire_message_id=wire_message_id,
    )


def _number(text: str | None) -> Decimal | None:
    return Decimal(text) if text else None


def compare(ours: WithUs, theirs: AtVenue) -> Kind | None:
    """The gravest difference, or None when both hold the same."""
    if theirs.ord_status == "8" and ours.ord_status != "8":
        return Kind.UNKNOWN_AT_VENUE
    if theirs.cum_qty is not None and theirs.cum_qty != ours.cum_qty:
        return Kind.EXECUTION_MISSING if theirs.cum_qty > ours.cum_qty else Kind.EXECUTION_SURPLUS
    if theirs.ord_status and (theirs.ord_status in _OVER) != (ours.ord_status in _OVER):
        return Kind.LIFE_DIFFERS
    if theirs.ord_status in _OVER or ours.changing:
        return None
    other_qty = theirs.order_qty is not None and ours.order_qty is not None and theirs.order_qty != ours.order_qty
    # A market order carries price 0 in some answers: no price, not another one.
    other_price = bool(theirs.price) and ours.price is not None and theirs.price != ours.price
    return Kind.TERMS_DIFFER if other_qty or other_price else None


@dataclass(frozen=True, slots=True)
class Listing:
    """How much of the answer to a mass status request has come. ``expected`` is TotNumReports (911), when said.

    ``orders`` are the names of the orders listed so far: a message that comes twice counts once.
    """

    expected: int | None = None
    orders: frozenset[str] = frozenset()
    last_said: bool = False

    def with_answers(self, answers: Sequence[Mapping[int, str]]) -> Listing:
        """Some more messages of it."""
        totals = [int(total) for values in answers if (total := values.get(911, "")).isdigit()]
        names = {values.get(37, "NONE") for values in answers} - {"NONE"}
        return Listing(
            expected=totals[-1] if totals else self.expected,
            orders=self.orders | names,
            last_said=self.last_said or any(values.get(912) == "Y" for values in answers),
        )

    @property
    def complete(self) -> bool:
        """All that was announced is there; where nothing was announced, the last one was."""
        return len(self.orders) >= self.expected if self.expected is not None else self.last_said
