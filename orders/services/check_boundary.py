"""The last look before the wire: is the request still to be sent, and may its account, listing and market still be traded?

A cancel always passes. A replace that only asks for less passes blocks and halts. Only a refusal stops a request here:
what needed a person had one.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from orders.domain.assembling import order_facts, terms_of_payload, working_of
from orders.domain.results import BoundaryAnswer
from orders.models import OrderRequest
from orders.selectors import BoundaryRow, find_boundary_row
from refdata.selectors import get_listing
from risk.domain.answers import Verdict
from risk.domain.checks import run_boundary_checks
from risk.domain.facts import AccountFacts, OperatorFacts
from risk.selectors import Scopes, get_marks

_ANYBODY = OperatorFacts(may_enter=True, trades_desk=True, trades_group=True)


def check_boundary(*, request_id: UUID, at: datetime) -> BoundaryAnswer:
    """Whether it may leave now, else the code and sentence of the first refusal. Three reads, no lock, no write."""
    row = find_boundary_row(request_id)
    if row is None:
        return BoundaryAnswer(False, "REQUEST_UNKNOWN", "There is no such request.")
    if row.state != OrderRequest.State.RELEASED:
        return BoundaryAnswer(False, "REQUEST_NOT_RELEASED", f"The request is {row.state.replace('_', ' ')}.")
    if row.kind == OrderRequest.Kind.CANCEL:
        return BoundaryAnswer(True)
    if not row.is_open:
        return BoundaryAnswer(False, "ORDER_CLOSED", "The order is over.")
    return _judge(row, at)


def _judge(row: BoundaryRow, at: datetime) -> BoundaryAnswer:
    listing = get_listing(row.listing_id, at=at)
    scopes = Scopes(
        desk_id=row.desk_id,
        dealer_id=row.owner_id,
        client_id=row.client_id,
        account_id=row.account_id,
        instrument_id=listing.instrument_id,
        mic=listing.mic,
        strategy=row.strategy,
    )
    marks = get_marks(scopes.pairs())
    facts = order_facts(
        at=at,
        operator=_ANYBODY,
        account=AccountFacts(row.account_id, row.account_code, row.account_state, row.short_allowed, row.client_active),
        listing=listing,
        terms=terms_of_payload(row.payload),
        cash_available=None,
        stock_available=None,
        trading_on=marks.trading_on,
        limits=(),
        blocks=marks.blocks,
        working=working_of(row) if row.kind == OrderRequest.Kind.REPLACE else None,
    )
    refusals = [answer for answer in run_boundary_checks(facts) if answer.verdict is Verdict.REFUSE]
    if refusals:
        return BoundaryAnswer(False, refusals[0].code, refusals[0].sentence)
    return BoundaryAnswer(True)
