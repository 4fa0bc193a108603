"""What orders count against limits: the facts for the checks, the shares that are written, the sums asked once more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from kernel.errors import Conflict
from kernel.fix import OrdStatus
from orders.domain.account_row import AccountRow
from orders.domain.counting import counted_at, counted_for
from orders.domain.holding import OPEN_STATES, asked_of, priced_of
from orders.domain.results import REFUSED
from orders.domain.terms import OrderTerms
from orders.locks import World
from orders.models import Order, OrderRequest
from refdata.domain.listing_facts import ListingFacts
from refdata.selectors import get_fx_rates
from risk.domain.answers import CheckAnswer
from risk.domain.checks import usage_still_allows
from risk.domain.exposure import priced
from risk.domain.facts import Facts, LimitFact
from risk.domain.usage import COUNTING_CURRENCY, NOTHING, Counted, PositionFacts, UsageFacts
from risk.locks import lock_usage
from risk.selectors.usage import ONE, UNRATED, bounds_position, counting_rate, get_positions, keys_of, read_usage
from risk.services.set_usage import OrderCount, OrderShare, set_usage


class UsageMoved(Exception):
    """Others took of a limit between the look and the write, and the order no longer has the answer it was given."""


def usage_of_world(world: World, listing: ListingFacts, account: AccountRow, *, at: datetime) -> UsageFacts:
    """What a new order meets: the sums as they were read, its rate, and the position where a mark bounds it."""
    foreign = listing.currency != COUNTING_CURRENCY
    return UsageFacts(
        scopes=world.usage,
        rate=counting_rate(listing.currency, at=at, rates=get_fx_rates(world.fx_version)) if foreign else ONE,
        position=position_of(account.account_id, listing.instrument_id, world.marks.limits, at=at),
    )


def position_of(
    account_id: UUID, instrument_id: UUID, limits: Sequence[LimitFact], *, at: datetime
) -> PositionFacts | None:
    """The account's position in the instrument, where a mark bounds it; take the account's lock first."""
    if not bounds_position(limits):
        return None
    place = (account_id, instrument_id)
    return get_positions([place], limits, at=at)[place]


def usage_of_order(
    order: Order,
    requests: Sequence[OrderRequest],
    *,
    pairs: Sequence[tuple[str, str]],
    limits: Sequence[LimitFact],
    listing: ListingFacts,
    at: datetime,
    beside: bool,
    but: OrderRequest | None,
    locked: bool = True,
) -> UsageFacts:
    """What a request of an order meets, under the lock of its scopes' sums: nobody takes of them until commit.

    ``beside``: the order goes on counting whatever becomes of the request ``but``. ``locked`` is false for a preview.
    """
    if locked:
        lock_usage(keys_of(pairs))
    return UsageFacts(
        scopes=read_usage(pairs),
        own=counted_of(order, requests),
        base=counted_of(order, [item for item in requests if item is not but]) if beside else NOTHING,
        rate=counting_rate(listing.currency, at=at),
        position=position_of(order.account_id, listing.instrument_id, limits, at=at),
    )


def counted_of(order: Order, requests: Sequence[OrderRequest]) -> Counted:
    """What the order counts by its working terms and its open replaces."""
    terms = priced_of(
        side=order.side,
        ord_type=order.ord_type,
        price=order.price,
        stop_px=order.stop_px,
        snapshot=order.instrument_snapshot,
        fees=(),
    )
    return counted_for(
        terms,
        leaves_qty=order.leaves_qty,
        cum_qty=order.cum_qty,
        is_open=order.is_open,
        is_filled=order.ord_status == OrdStatus.FILLED,
        asked=[
            asked_of(request.payload)
            for request in requests
            if request.kind == OrderRequest.Kind.REPLACE and request.state in OPEN_STATES
        ],
    )


def count_order(order: Order, requests: Sequence[OrderRequest]) -> None:
    """Count the order as it is from now on."""
    set_usage(counts=[OrderCount(order.id, counted_of(order, requests))])


def share_of_draft(
    order_id: UUID, outcome: str, facts: Facts, terms: OrderTerms, account: AccountRow, *, dealer_id: int
) -> OrderShare | None:
    """For whom a captured order counts, and what; None for a refused one."""
    if outcome == REFUSED:
        return None
    listing = facts.listing
    return OrderShare(
        order_id=order_id,
        desk_id=account.desk_id,
        dealer_id=dealer_id,
        client_id=account.client_id,
        account_id=account.account_id,
        instrument_id=listing.instrument_id,
        mic=listing.mic,
        strategy=terms.strategy,
        is_buy=terms.side.is_buy,
        currency=listing.currency,
        rate=UNRATED if facts.usage.rate is None else facts.usage.rate,
        counted=counted_at(priced(facts), facts.leaves_qty),
    )


def require_room(
    facts: Facts, share: OrderShare | None, written: Mapping[str, int], answers: Sequence[CheckAnswer]
) -> None:
    """The order is written and the sums of its scopes are locked: was it judged on these?

    Where others changed them meanwhile, the usage checks are asked once more; raises UsageMoved when one answers worse, or
    when a scope is counted that was not. Then nothing of the order is kept and it is judged anew.
    """
    seen = {usage.key: usage.version + 1 for usage in facts.usage.scopes}
    if share is None or written == seen:
        return
    if written.keys() != seen.keys():
        raise UsageMoved
    pairs = [(usage.scope, usage.scope_id) for usage in facts.usage.scopes]
    now = replace(facts, usage=replace(facts.usage, scopes=read_usage(pairs), own=share.counted))
    if not usage_still_allows(now, answers):
        raise UsageMoved


def limit_contended() -> Conflict:
    """Others took of the limit again and again while the order was judged; nothing of it was kept."""
    return Conflict("LIMIT_CONTENDED", "Others are using up the same limit at this moment. Try again.")
