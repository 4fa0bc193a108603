"""The last look before the wire: is the request still to be sent, and may its account, listing and market still be traded?

An order that waited (for the session's rate, for a venue that complained, for a session that was down) has its price
checked again. A cancel always passes. A replace that only asks for less passes blocks and halts. Only a refusal stops a request here:
what needed a person had one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from kernel.errors import Unavailable
from kernel.fix import Side
from orders.domain.assembling import order_facts, terms_of_payload, working_of
from orders.domain.results import BoundaryAnswer
from orders.models import OrderRequest
from orders.selectors import BoundaryRow, find_boundary_rows
from orders.selectors.locates import LocateUse, find_locates
from refdata.domain.listing_facts import ListingFacts
from refdata.selectors import find_listings
from risk.domain.answers import Verdict
from risk.domain.checks import run_boundary_checks
from risk.domain.conduct import ConductFacts
from risk.domain.facts import AccountFacts, OperatorFacts
from risk.rulebook import get_rulebook
from risk.selectors import Marks, Scopes, get_marks

CALENDAR_MISSING = "CALENDAR_MISSING"
DELAYED = timedelta(seconds=2)
_ANYBODY = OperatorFacts(may_enter=True, trades_desk=True, trades_group=True)


def check_boundaries(*, request_ids: Collection[UUID], at: datetime) -> dict[UUID, BoundaryAnswer]:
    """For each request whether it may leave now, else the code and sentence of the first refusal. No lock, no write.

    The requests and their listings are read in one statement each, the marks in one for each set of scopes.
    """
    rows = find_boundary_rows(request_ids)
    wanted = {row.listing_id for row in rows.values() if _looks_at_market(row)}
    keys = {_locate_key(row) for row in rows.values() if _looks_at_market(row)} - {None}
    locates = find_locates([key for key in keys if key]) if keys else {}
    listings, unreadable = _listings(wanted, at)
    reading = _Reading(listings, unreadable, locates, at)
    unknown = BoundaryAnswer(False, "REQUEST_UNKNOWN", "There is no such request.")
    return {
        request_id: _with_canary(rows[request_id], reading) if request_id in rows else unknown
        for request_id in request_ids
    }


def _listings(wanted: Collection[UUID], at: datetime) -> tuple[Mapping[UUID, ListingFacts], Mapping[UUID, Unavailable]]:
    """Listings by id in one statement; where a market has no calendar, one by one: the others and cancels still leave."""
    try:
        return (find_listings(wanted, at=at) if wanted else {}), {}
    except Unavailable as error:
        if error.code != CALENDAR_MISSING:
            raise
    found: dict[UUID, ListingFacts] = {}
    unreadable: dict[UUID, Unavailable] = {}
    for listing_id in wanted:
        try:
            found.update(find_listings([listing_id], at=at))
        except Unavailable as error:
            unreadable[listing_id] = error
    return found, unreadable


def _with_canary(row: BoundaryRow, reading: _Reading) -> BoundaryAnswer:
    """The answer, marked where the account has no session: that depends on no check."""
    answer = _answer(row, reading)
    return replace(answer, is_canary=True) if row.is_canary else answer


def _looks_at_market(row: BoundaryRow) -> bool:
    return row.state == OrderRequest.State.RELEASED and row.kind != OrderRequest.Kind.CANCEL and row.may_work


def _locate_key(row: BoundaryRow) -> tuple[UUID, str] | None:
    ref = row.payload.get("locate_ref") or ""
    return (row.account_id, ref) if ref and Side(row.payload["side"]).is_short else None


class _Reading:
    """What one call has read of listings and marks."""

    def __init__(
        self,
        listings: Mapping[UUID, ListingFacts],
        unreadable: Mapping[UUID, Unavailable],
        locates: Mapping[tuple[UUID, str], LocateUse],
        at: datetime,
    ) -> None:
        self.listings = listings
        self.unreadable = unreadable
        self.locates = locates
        self.at = at
        self.rulebook = get_rulebook() if listings else None
        self._marks: dict[Scopes, Marks] = {}

    def marks(self, scopes: Scopes) -> Marks:
        """Trading switch and blocks of the scopes, read once."""
        if scopes not in self._marks:
            self._marks[scopes] = get_marks(scopes.pairs(), at=self.at)
        return self._marks[scopes]


def _answer(row: BoundaryRow, reading: _Reading) -> BoundaryAnswer:
    if row.state != OrderRequest.State.RELEASED:
        return BoundaryAnswer(False, "REQUEST_NOT_RELEASED", f"The request is {row.state.replace('_', ' ')}.")
    if row.kind == OrderRequest.Kind.CANCEL:
        return BoundaryAnswer(True, says=row.says)
    if not row.may_work:
        return BoundaryAnswer(False, "ORDER_CLOSED", "The order is over.")
    if row.listing_id in reading.unreadable:
        error = reading.unreadable[row.listing_id]
        return BoundaryAnswer(False, error.code, error.sentence)
    return _judge(row, reading)


def _delayed(row: BoundaryRow, at: datetime) -> bool:
    """Whether it has waited so long that the price it was judged by may be another."""
    return row.released_at is not None and at - row.released_at > DELAYED


def _judge(row: BoundaryRow, reading: _Reading) -> BoundaryAnswer:
    listing = reading.listings[row.listing_id]
    scopes = Scopes(
        desk_id=row.desk_id,
        dealer_id=row.owner_id,
        client_id=row.client_id,
        account_id=row.account_id,
        instrument_id=listing.instrument_id,
        mic=listing.mic,
        strategy=row.strategy,
    )
    marks = reading.marks(scopes)
    key = _locate_key(row)
    use = reading.locates.get(key) if key else None
    facts = order_facts(
        at=reading.at,
        operator=_ANYBODY,
        account=AccountFacts(
            row.account_id, row.account_code, row.account_state, row.short_allowed, row.client_active, row.overdrawn
        ),
        listing=listing,
        terms=terms_of_payload(row.payload),
        cash_available=None,
        stock_available=None,
        trading_on=marks.trading_on,
        limits=marks.limits,
        blocks=marks.blocks,
        working=working_of(row) if row.kind == OrderRequest.Kind.REPLACE else None,
        locate=use.facts(own=row.order_id) if use is not None else None,
        conduct=ConductFacts(
            rulebook=reading.rulebook, pairs=tuple(scopes.pairs()), source=row.source, strategy=row.strategy
        ),
    )
    answers = run_boundary_checks(facts, delayed=facts.adds_risk and _delayed(row, reading.at))
    refusals = [answer for answer in answers if answer.verdict is Verdict.REFUSE]
    if refusals:
        return BoundaryAnswer(False, refusals[0].code, refusals[0].sentence)
    return BoundaryAnswer(True, says=row.says)
