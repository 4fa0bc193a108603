"""Put on record an order that was given to a venue by phone: known by the venue's OrderID, without a ClOrdID of ours.

Its terms are the venue's to say: quantity and price come with its first report. Nothing is sent and nothing is
checked before the trade, so the record says who entered it and who gave the order.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction

from accounts.models import TradingAccount
from authorisation.domain.principal import Principal
from kernel.errors import Conflict
from kernel.fix import OrdType, Side, TimeInForce
from kernel.ids import new_id, order_ref
from orders.domain.drafting import TELLS_ALL, instrument_told, snapshot_json
from orders.domain.facts import NO_FACTS, facts_to_json
from orders.domain.fold import request_sent
from orders.domain.state import RequestFact
from orders.locks import next_order_numbers
from orders.models import Order
from orders.permissions import require_trading
from orders.services._capturing import unknown_account, unknown_symbol
from orders.services._moving import Said, record
from orders.services._usage import counted_of
from refdata.domain.listing_facts import ListingFacts
from refdata.selectors import find_listing_by_symbol
from risk.selectors.usage import UNRATED, counting_rate
from risk.services.set_usage import OrderShare, add_orders


def record_phoned_order(
    *,
    actor: Principal,
    at: datetime,
    account: str,
    symbol: str,
    side: Side,
    session_group: str,
    venue_order_id: str,
    cl_ord_id: str | None = None,
) -> UUID:
    """The id of the new order. ``cl_ord_id`` only when one was agreed with the venue by the same way.

    Raises NotPermitted, Invalid (account or symbol unknown), Conflict VENUE_ORDER_KNOWN; then nothing is kept.
    """
    listing = find_listing_by_symbol(symbol, at=at)
    if listing is None:
        raise unknown_symbol(symbol)
    row = TradingAccount.objects.select_related("group").filter(code=account).first()
    if row is None:
        raise unknown_account(account)
    require_trading(actor, desk_id=row.group.desk_id, group_id=row.group_id)
    with transaction.atomic():
        if Order.objects.filter(session_group=session_group, venue_order_id=venue_order_id).exists():
            raise Conflict("VENUE_ORDER_KNOWN", f"Order {venue_order_id} of {session_group} is on record already.")
        order_id = new_id()
        snapshot = snapshot_json(listing)
        order = Order.objects.create(
            id=order_id,
            ref=order_ref(year=at.year, month=at.month, number=next_order_numbers(1)[0]),
            root_id=order_id,
            account=row,
            desk_id=row.group.desk_id,
            listing_id=listing.listing_id,
            owner_id=actor.user_id,
            source="phone",
            correlation_id=new_id(),
            side=side.value,
            ord_type=OrdType.MARKET.value,
            time_in_force=TimeInForce.DAY.value,
            session_group=session_group,
            venue_order_id=venue_order_id,
            cl_ord_id=cl_ord_id,
            last_request_seq=0,
            facts=facts_to_json(request_sent(NO_FACTS, RequestFact("new", cl_ord_id)) if cl_ord_id else NO_FACTS),
            # Nobody asks the venue for anything: ours is a record of what was agreed.
            request_state="accepted",
            instrument_snapshot=orjson.loads(snapshot),
            instructed_at=at,
            entered_at=at,
            updated_at=at,
            trade_date=listing.business_date,
        )
        payload = _told(order, listing, snapshot, symbol)
        said = Said("OrderPhoned", payload, actor.actor, actor.on_behalf_of, version=TELLS_ALL)
        record(order, [said], at=at)
        add_orders([_share(order, row, listing, at)])
    return order_id


def _told(order: Order, listing: ListingFacts, snapshot: bytes, symbol: str) -> dict[str, Any]:
    """All that replay needs of an order nobody sent."""
    return {
        "order_id": str(order.id),
        "ref": order.ref,
        "account_id": str(order.account_id),
        "desk_id": order.desk_id,
        "owner_id": order.owner_id,
        "cl_ord_id": order.cl_ord_id,
        "currency": listing.currency,
        "instrument": instrument_told(listing, snapshot),
        "symbol": symbol,
        "side": order.side,
        "session_group": order.session_group,
        "venue_order_id": order.venue_order_id,
    }


def _share(order: Order, account: TradingAccount, listing: ListingFacts, at: datetime) -> OrderShare:
    """It counts as an order at once, as value when its first report says how much."""
    return OrderShare(
        order_id=order.id,
        desk_id=order.desk_id,
        dealer_id=order.owner_id,
        client_id=account.client_id,
        account_id=account.id,
        instrument_id=listing.instrument_id,
        mic=listing.mic,
        strategy=order.strategy,
        is_buy=Side(order.side).is_buy,
        currency=listing.currency,
        rate=counting_rate(listing.currency, at=at) or UNRATED,
        counted=counted_of(order, []),
    )
