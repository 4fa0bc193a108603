"""A market's day closed in our books: what changed since the closing before, whenever it runs, once, in order."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from accounts.models import Booking, CashBalance, ClosedDay, ClosingBalance, Holding, TradingAccount
from accounts.selectors.closings import last_closed_day, list_closing
from accounts.services.close_day import Closing, close_day
from journal.models import Event
from kernel.errors import Refused
from kernel.ids import new_id
from refdata.models import Listing
from tests.factories import make_listing, make_market
from tests.factories.accounts import DAY, funded_account

pytestmark = pytest.mark.django_db
D = Decimal
NIGHT = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
NEXT, AFTER = DAY + timedelta(days=1), DAY + timedelta(days=2)


@pytest.fixture
def listing() -> Listing:
    return make_listing("VOD.L")


def close(day: date = DAY, market: str = "XLON") -> Closing:
    return close_day(market=market, day=day, actor="process:day", at=NIGHT)


def pay(
    account: TradingAccount, amount: str, day: date, *, currency: str = "GBP", instrument_id: UUID | None = None
) -> None:
    """A booking of any sign with its balance, as every change of a balance is."""
    named = {"account_id": account.id, "currency": "" if instrument_id else currency, "instrument_id": instrument_id}
    Booking.objects.create(
        **named, event_id=new_id(), kind="trade", layer="settled", amount=D(amount), trade_date=day,
        settlement_date=day, recorded_at=NIGHT,
    )  # fmt: skip
    if instrument_id:
        Holding.objects.get_or_create(account=account, instrument_id=instrument_id)
        Holding.objects.filter(account=account, instrument_id=instrument_id).update(settled=F("settled") + D(amount))
    else:
        CashBalance.objects.get_or_create(account=account, currency=currency)
        CashBalance.objects.filter(account=account, currency=currency).update(settled=F("settled") + D(amount))


def had(day: date) -> list[tuple[str, Decimal]]:
    return sorted((row.currency or "stock", row.settled) for row in list_closing(market="XLON", day=day))


def test_only_what_changed_is_written_and_every_day_can_be_read(listing: Listing) -> None:
    account, other = funded_account(cash="1000"), funded_account("AC2", cash="5")
    pay(account, "40", DAY, instrument_id=listing.instrument_id)
    assert close() == Closing(2, 1)
    pay(account, "-300", NEXT)
    assert close(NEXT) == Closing(1, 0)
    pay(account, "-700", AFTER)
    assert close(AFTER) == Closing(1, 0)
    assert ClosingBalance.objects.count() == 5
    assert had(DAY) == [("GBP", D(5)), ("GBP", D(1000)), ("stock", D(40))]
    assert had(NEXT) == [("GBP", D(5)), ("GBP", D(700)), ("stock", D(40))]
    assert had(AFTER) == [("GBP", D(5)), ("stock", D(40))]
    assert (had(DAY - timedelta(days=1)), last_closed_day("XLON"), last_closed_day("XNYS")) == ([], AFTER, None)
    assert {row.account_id for row in list_closing(market="XLON", day=AFTER)} == {account.id, other.id}


def test_run_late_it_is_still_the_end_of_its_day(listing: Listing) -> None:
    account = funded_account(cash="1000")
    pay(account, "-300", NEXT)
    pay(account, "8", AFTER, instrument_id=listing.instrument_id)
    close()
    assert had(DAY) == [("GBP", D(1000))]
    close(NEXT)
    assert had(NEXT) == [("GBP", D(700))]


def test_twice_is_once_and_an_earlier_day_is_refused(listing: Listing) -> None:
    account = funded_account(cash="1000")
    assert close(NEXT) == Closing(1, 0)
    pay(account, "1", NEXT)
    assert close(NEXT) == Closing(1, 0, again=True)
    with pytest.raises(Refused, match="DAY_CLOSED_BEYOND"):
        close(DAY)
    assert (ClosedDay.objects.count(), had(NEXT)) == (1, [("GBP", D(1000))])
    event = Event.objects.get(stream="day:XLON")
    assert (event.kind, event.business_date, event.payload["cash_rows"]) == ("BooksClosed", NEXT, 1)


def test_a_market_closes_its_own_money_and_stock(listing: Listing) -> None:
    make_market("XNYS", "USD")
    account = funded_account(cash="1000")
    pay(account, "7", DAY, currency="USD")
    pay(account, "40", DAY, instrument_id=listing.instrument_id)
    assert close(market="XNYS") == Closing(1, 0)
    assert [row.currency for row in list_closing(market="XNYS", day=DAY)] == ["USD"]


def test_what_was_closed_never_changes(listing: Listing) -> None:
    funded_account(cash="1000")
    close()
    for table in ("accounts_closingbalance", "accounts_closedday"):
        for change in (f"UPDATE {table} SET day = '2026-01-01'", f"DELETE FROM {table}"):
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(change)
