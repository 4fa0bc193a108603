"""One account's positions and cash as a person reads them, now or as the house knew them at a moment.

Joins what the rooms below say: both views of every balance, what open orders are still to do, what positions cost, the last
price. Each figure is a sum whose parts ``operations.selectors.derivation`` lists.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from accounts.domain.average_cost import WHY, Cost
from accounts.domain.settling import CashView, StockView
from accounts.selectors import AccountFacts, get_account_by_code
from accounts.selectors.books import AccountBooks, get_books, get_books_as_at
from authorisation.domain.principal import Principal
from journal.bulk import one_moment
from kernel.numbers import ZERO, round_money
from orders.as_at import holds_of, list_working_as_at
from orders.models import Order
from orders.selectors.costs import list_costs
from orders.selectors.locates import LocateUse
from orders.selectors.working import Working, list_working, working_of
from refdata.domain.listing_facts import ListingFacts
from refdata.models import Listing
from refdata.selectors import find_listings_of_instruments

NO_WORK = Working()


@dataclass(frozen=True, slots=True)
class StockLine:
    """One instrument of the account. ``cost_px`` and ``last`` are in the listing's price unit, ``value`` in its currency;
    ``why`` says why a cost is missing."""

    view: StockView
    listing: ListingFacts | None
    working: Working
    cost: Cost | None
    cost_px: Decimal | None
    last: Decimal | None
    priced_at: datetime | None
    value: Decimal | None
    why: str = ""

    @property
    def symbol(self) -> str:
        return self.listing.symbol if self.listing else str(self.view.instrument_id)

    @property
    def realised(self) -> tuple[tuple[str, Decimal], ...]:
        return tuple(sorted(self.cost.realised.items())) if self.cost else ()

    @property
    def unrealised(self) -> Decimal | None:
        """What the position would bring at the last price beyond its cost."""
        if self.value is None or self.cost is None or self.cost.value is None or self.listing is None:
            return None
        return self.value - self.cost.value if self.cost.currency in ("", self.listing.currency) else None


@dataclass(frozen=True, slots=True)
class Positions:
    """The whole account. ``at`` is None for now; ``how`` says how figures of another moment were rebuilt."""

    account: AccountFacts
    cash: tuple[CashView, ...]
    stock: tuple[StockLine, ...]
    today: date
    at: datetime | None
    how: str = ""


def refs_of(order_ids: Collection[UUID]) -> dict[UUID, str]:
    """Order numbers by id, for links; ids that are no order of ours are absent."""
    return dict(Order.objects.filter(id__in=list(order_ids)).values_list("id", "ref"))


def symbols_of(locates: Collection[LocateUse]) -> dict[UUID, str]:
    """The first symbol of each instrument the locates are for."""
    ids = {use.instrument_id for use in locates}
    rows = Listing.objects.filter(instrument_id__in=ids).order_by("-symbol").values_list("instrument_id", "symbol")
    return dict(rows)


def get_positions(*, actor: Principal, code: str, now: datetime, at: datetime | None = None) -> Positions:
    """Raises NotFound ACCOUNT_UNKNOWN when the actor may not see it, Invalid AS_AT_TOO_WIDE."""
    account = get_account_by_code(actor, code)
    with one_moment():
        if at is None:
            books = get_books(account_id=account.id, today=now.date())
            working, how = list_working(account.id), ""
        else:
            orders = list_working_as_at(account_id=account.id, at=at)
            holds = holds_of(orders)
            books = get_books_as_at(account_id=account.id, at=at, today=at.date(), holds=holds)
            working = working_of(orders)
            how = (
                f"Rebuilt from the bookings recorded until then and from {len(orders)} orders replayed from their events, of "
                f"which {len(holds)} held something. Prices of then are not kept here."
            )
        costs = list_costs(account_id=account.id, at=at)
        listings = find_listings_of_instruments({view.instrument_id for view in books.stock} | working.keys(), at=now)
    lines = _lines(books, working, costs, listings, priced=at is None)
    return Positions(account, books.cash, lines, (at or now).date(), at, how)


def _lines(
    books: AccountBooks,
    working: Mapping[UUID, Working],
    costs: Mapping[UUID, Cost],
    listings: Mapping[UUID, Collection[ListingFacts]],
    *,
    priced: bool,
) -> tuple[StockLine, ...]:
    views = {view.instrument_id: view for view in books.stock}
    for instrument_id in working:
        views.setdefault(instrument_id, StockView(instrument_id, ZERO, ZERO, ZERO, ZERO))
    lines = [
        _line(view, listings.get(key, ()), working.get(key, NO_WORK), costs.get(key), priced=priced)
        for key, view in views.items()
    ]
    return tuple(sorted(lines, key=lambda line: line.symbol))


def _line(
    view: StockView, listings: Collection[ListingFacts], working: Working, cost: Cost | None, *, priced: bool
) -> StockLine:
    """The listing in the currency of the cost counts, else the first."""
    currency = cost.currency if cost else ""
    listing = next((one for one in listings if one.currency == currency), next(iter(listings), None))
    average = cost.average if cost else None
    cost_px = average * listing.price_divisor if listing and average is not None else None
    price = listing.price if listing and priced else None
    value = None
    if listing is not None and price is not None:
        value = round_money(view.net * price.last / listing.price_divisor, listing.currency)
    why = WHY[cost.why] if cost and cost.why else ""
    return StockLine(
        view,
        listing,
        working,
        cost,
        cost_px,
        price.last if price else None,
        price.priced_at if price else None,
        value,
        why,
    )
