"""What the facts about one order amount to, read in the venue's order: the values ``walk`` moves and ``derive`` reads.

Named tuples, because an order lives through dozens of them a second and because they go to JSON as plain lists.
Decimals only. A ``Fact`` is a report reduced to what may ever decide something; it is never changed once kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal
from typing import NamedTuple

from kernel.numbers import ZERO

# 24-digit quantities times 20-digit prices: with 60 digits no sum or product of them is ever rounded, so that sums
# come out the same whatever the order of the terms.
EXACT = Context(prec=60)
ONE = Decimal(1)


class RequestFact(NamedTuple):
    """What we sent (or are about to send): ``kind`` is new, replace or cancel. None leaves a term as it is."""

    kind: str
    cl_ord_id: str
    orig_cl_ord_id: str | None = None
    order_qty: Decimal | None = None
    price: Decimal | None = None
    stop_px: Decimal | None = None
    time_in_force: str | None = None


Requests = Sequence[RequestFact]


class Fact(NamedTuple):
    """One report of the venue. ``kind`` is ExecType (150), ``R`` for a reject message (35=9, 35=3, 35=j), or ``xC`` for
    an expiry that we inferred."""

    epoch: str
    seq: int
    identity: str
    kind: str
    said: str  # OrdStatus (39) as the venue gave it; evidence, not a command
    cl_ord_id: str
    orig_cl_ord_id: str
    exec_id: str
    exec_ref_id: str
    venue_order_id: str
    order_qty: Decimal | None
    price: Decimal | None
    stop_px: Decimal | None
    last_qty: Decimal
    last_px: Decimal
    cum_qty: Decimal | None
    leaves_qty: Decimal | None
    code: str  # OrdRejReason, CxlRejReason or ExecRestatementReason
    text: str
    trade_date: str
    resend: str = ""  # "Y": the venue says it may have said this before, perhaps under numbers of another epoch (97)
    asked_for: str = ""  # on a status answer: a request that was sent before the question

    @property
    def place(self) -> tuple[str, int]:
        """Where the venue put it: facts are read in this order, never in the order of arrival."""
        return (self.epoch, self.seq)

    @property
    def said_before_as(self) -> object:
        """What this fact and an earlier one have in common when it is the same happening, told again in another epoch.

        The identity without its epoch. A status answer has no identity but its number: it is known by its content.
        """
        return self[3:20] if self.kind == "I" else self.identity.removeprefix(f"{self.epoch}|")


class Exec(NamedTuple):
    """A trade at its latest version. ``versions`` are all ExecIDs it was ever known by, the last one is in force.

    ``qty`` and ``px`` are as the venue states them: corrected, busted (0), scaled by later splits. ``new`` for ``old`` is what
    those splits come to, and ``kept`` the same trade in the shares in which it was made, None where no split scaled it.
    """

    identity: str
    versions: tuple[str, ...]
    last_qty: Decimal
    last_px: Decimal
    qty: Decimal
    px: Decimal
    busted: bool = False
    new: Decimal = ONE
    old: Decimal = ONE
    kept: tuple[Decimal, Decimal] | None = None

    @property
    def booked(self) -> tuple[Decimal, Decimal]:
        """Quantity and price in the shares of the day of the trade: what accounts have by it (ADR 0066)."""
        return (self.qty, self.px) if self.kept is None else self.kept

    @property
    def stated(self) -> tuple[Decimal, Decimal] | None:
        """What the venue says of it, where a split makes that another figure than the booked one."""
        return None if self.kept is None else (self.qty, self.px)


class Answer(NamedTuple):
    """The venue's answer to a request of ours: ``outcome`` is accepted or rejected."""

    cl_ord_id: str
    outcome: str
    code: str = ""
    text: str = ""


class Note(NamedTuple):
    """Something a person must see. ``key`` names it within the order, so that it is raised once and can be cleared."""

    key: str
    kind: str
    severity: str
    sentence: str
    evidence: str


class State(NamedTuple):
    """The sum of all facts read so far. ``acknowledged`` is "", "D" (for bidding), "A" (pending new) or "0" (new)."""

    cl_ord_id: str | None = None
    new_cl_ord_id: str | None = None
    venue_order_id: str | None = None
    order_qty: Decimal | None = None
    price: Decimal | None = None
    stop_px: Decimal | None = None
    time_in_force: str = "0"
    acknowledged: str = ""
    heard: bool = False
    rejected: bool = False
    ended: str = ""
    done_on: str = ""
    calculated_on: str = ""
    stopped: bool = False
    suspended: bool = False
    denied: bool = False  # a status answer says the venue does not know the order; any other word outweighs it
    pending: tuple[tuple[str, str], ...] = ()
    answers: tuple[Answer, ...] = ()
    execs: tuple[Exec, ...] = ()
    parked: tuple[Fact, ...] = ()
    notes: tuple[Note, ...] = ()
    cum_qty: Decimal = ZERO
    notional: Decimal = ZERO
    inferred: bool = False  # that it ended is our conclusion, not the venue's word
    new: Decimal = ONE  # ``new`` shares for ``old`` is what the splits of the order come to
    old: Decimal = ONE

    def answer_to(self, cl_ord_id: str) -> Answer | None:
        """The venue's answer to the request sent under this ClOrdID, if any."""
        for answer in self.answers:
            if answer.cl_ord_id == cl_ord_id:
                return answer
        return None


def answered(state: State, answer: Answer) -> State:
    """The state with this answer in place of an earlier one to the same request."""
    answers = tuple(a for a in state.answers if a.cl_ord_id != answer.cl_ord_id)
    return state._replace(answers=(*answers, answer))


def request_named(requests: Requests, cl_ord_id: str) -> RequestFact | None:
    """Our request that was sent under this ClOrdID, if any."""
    for request in requests:
        if request.cl_ord_id == cl_ord_id:
            return request
    return None
