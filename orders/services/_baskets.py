"""A basket as a whole, before its first line: measured, judged against its hard limits, and put on record for the next."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from accounts.domain.arithmetic import trade_value
from authorisation.domain.principal import Principal
from kernel.errors import Refused
from kernel.ids import new_id
from kernel.numbers import ZERO, plain
from orders.domain.terms import OrderTerms
from orders.models import Basket
from refdata.domain.listing_facts import ListingFacts
from refdata.selectors import find_listings_by_symbol, get_fx_rates
from risk.domain.basket import LAST_BASKETS, BasketFacts, basket_obstacle
from risk.domain.exposure import Priced
from risk.rulebook import get_rulebook
from risk.selectors.usage import counting_rate


def take_basket(*, actor: Principal, at: datetime, source: str, rows: Iterable[OrderTerms], count: int) -> Basket:
    """Put it on record, in the caller's transaction. ``count`` includes lines that cannot be read.

    Raises Refused BASKET_LIMIT when it is beyond a hard limit; then nothing is kept.
    """
    basket = _measured(actor, list(rows), count, at)
    book = get_rulebook()
    obstacle = basket_obstacle(basket, book.policy if book is not None else None)
    if obstacle:
        values = {currency: plain(value) for currency, value in basket.values.items()}
        raise Refused(
            "BASKET_LIMIT", f"{obstacle} None of its orders was entered.", {"orders": count, "values": values}
        )
    return Basket.objects.create(
        id=new_id(),
        owner_id=actor.user_id,
        source=source,
        orders=count,
        values={currency: plain(value) for currency, value in basket.values.items()},
        counted=basket.counted,
        taken_at=at,
    )


def _measured(actor: Principal, rows: list[OrderTerms], count: int, at: datetime) -> BasketFacts:
    listings = find_listings_by_symbol({terms.symbol for terms in rows}, at=at)
    values: dict[str, Decimal] = {}
    for terms in rows:
        listing = listings.get(terms.symbol)
        value = _value(terms, listing) if listing is not None else None
        if listing is not None and value is not None:
            values[listing.currency] = values.get(listing.currency, ZERO) + value
    rates = get_fx_rates()
    counted: Decimal | None = ZERO
    for currency, value in values.items():
        rate = counting_rate(currency, at=at, rates=rates)
        counted = counted + value * rate if counted is not None and rate is not None else None
    last = Basket.objects.filter(owner_id=actor.user_id, counted__isnull=False).order_by("-taken_at", "-id")
    before = last.values_list("counted", flat=True)[:LAST_BASKETS]
    return BasketFacts(count, values, counted, [one for one in before if one is not None])


def _value(terms: OrderTerms, listing: ListingFacts) -> Decimal | None:
    px = Priced(
        side=terms.side,
        ord_type=terms.ord_type,
        price=terms.price,
        stop_px=terms.stop_px,
        last=listing.price.last if listing.price else None,
        currency=listing.currency,
        price_divisor=listing.price_divisor,
    ).basis
    if px is None:
        return None
    return trade_value(qty=terms.order_qty, px=px, divisor=listing.price_divisor, currency=listing.currency).amount
