"""For each control the one thing that is made wrong in the tables themselves, as a clumsy hand or another service would."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from django.db.models import F

from accounts.models import CashBalance, TradingAccount
from kernel.ids import new_id
from refdata.models import Instrument, Listing, Market, MarketDay, ReferencePrice
from risk.domain.rates import RateKind
from risk.models import Block, Limit, Mandate, RateBucket, Rulebook
from tests.factories import AT, DeskWorld, give_stock, make_listing, set_mark, set_price, set_rulebook, trading_off
from tests.factories.conduct import lay_down, restrict
from tests.factories.rates import slow_mark

Spoil = Callable[[DeskWorld], object]


def _block(world: DeskWorld) -> None:
    Block.objects.create(
        id=new_id(), scope="account", scope_id=str(world.account.pk), source="test", reason="Stopped.", imposed_by="test",
        imposed_at=AT,
    )  # fmt: skip


def _closed(world: DeskWorld) -> None:
    """The market's session of today has ended."""
    for day in (AT, AT + timedelta(days=3)):
        opens = day.replace(hour=7)
        MarketDay.objects.create(
            market_id=world.listing.market_id, date=day.date(), is_session=True, open_at=opens, close_at=opens.replace(hour=9)
        )  # fmt: skip
    no_calendar(world)


def no_calendar(world: DeskWorld) -> None:
    """The market has sessions, and unless they were made the calendar knows none."""
    Market.objects.filter(pk=world.listing.market_id).update(always_open=False, version=new_id())


def _another_position(world: DeskWorld) -> None:
    other = make_listing("BARC.L")
    give_stock(world.account, other, "100000")
    set_mark("concentration", "0.00000001")


def _far(world: DeskWorld) -> None:
    set_price(world.listing, "300.00")


def _lower(kind: str) -> Spoil:
    return lambda world: Limit.objects.filter(kind=kind).update(warn=None, hard=1)


def _mark(kind: str) -> Spoil:
    return lambda world: set_mark(kind, "0.00000001")


def _used_up(kind: RateKind, subject: str) -> Spoil:
    def spoil(world: DeskWorld) -> None:
        slow_mark(kind, burst=1)
        name = world.dealer.actor if subject == "source" else f"account:{world.account.pk}"
        RateBucket.objects.update_or_create(subject=name, defaults={"full_at": AT + timedelta(days=3650)})

    return spoil


def _volume(world: DeskWorld) -> None:
    set_rulebook(volume_hard=Decimal(1))
    Listing.objects.filter(pk=world.listing.pk).update(average_daily_volume=Decimal(100))


def _no_book(world: DeskWorld) -> None:
    Rulebook.objects.all().delete()


SPOILED: dict[str, Spoil] = {
    "TRADING_SWITCHED_ON": lambda world: trading_off(),
    "NO_STANDING_BLOCK": _block,
    "SOURCE_RATE": _used_up(RateKind.USER, "source"),
    "ACCOUNT_RATE": _used_up(RateKind.ACCOUNT, "account"),
    "ACCOUNT_STATE": lambda world: TradingAccount.objects.filter(pk=world.account.pk).update(state="frozen"),
    "ACCOUNT_OVERDRAWN": lambda world: CashBalance.objects.filter(account=world.account).update(
        overdrawn_by_event=new_id()
    ),
    "RESTRICTED_LIST": restrict,
    "MANDATE_ELIGIBILITY": lambda world: Mandate.objects.all().delete(),
    "INSTRUMENT_ACTIVE": lambda world: Instrument.objects.filter(pk=world.listing.instrument_id).update(active=False),
    "LISTING_STATE": lambda world: Listing.objects.filter(pk=world.listing.pk).update(state="halted"),
    "MARKET_SESSION": _closed,
    "REFERENCE_PRICE": lambda world: ReferencePrice.objects.filter(listing=world.listing).delete(),
    "PRICE_COLLAR": _far,
    "SHARE_OF_VOLUME": _volume,
    "THIN_BOOK": _no_book,
    "ORDER_QUANTITY_LIMIT": _lower("order_qty"),
    "ORDER_NOTIONAL_LIMIT": _lower("order_notional"),
    "OPEN_ORDERS_LIMIT": _mark("open_orders"),
    "OPEN_NOTIONAL_LIMIT": _mark("open_notional"),
    "DAILY_GROSS_LIMIT": _mark("daily_gross"),
    "DAILY_NET_LIMIT": _mark("daily_net"),
    "POSITION_QUANTITY_LIMIT": _mark("position_qty"),
    "POSITION_VALUE_LIMIT": _mark("position_value"),
    "CONCENTRATION_LIMIT": _another_position,
    "ADV_SHARE_LIMIT": _mark("adv_share"),
    "CURRENCY_HELD": lambda world: CashBalance.objects.filter(account=world.account).delete(),
    "BUYING_POWER": lambda world: CashBalance.objects.filter(account=world.account).update(settled=F("reserved")),
    "ECONOMIC_DUPLICATE": _no_book,
    "SELF_TRADE": _no_book,
    "RULE_TABLE": _no_book,
    "RULE_NO_LONDON": lay_down,
}
"""By code: after it a buy of the world's listing must be refused by that control, whoever asks and through whatever door."""

NOT_FOR_A_REPLACE = {"OPEN_ORDERS_LIMIT"}
"""A replace is no new order."""

NOT_AT_APPROVAL = {"SOURCE_RATE", "ACCOUNT_RATE", "BUYING_POWER", "CURRENCY_HELD"}
"""Rates are kept at the door: an order that waits was counted when it came. And it holds its own cash while it waits, so
that nobody else can have taken that."""

REFUSES_BASKETS_WHOLE = {"THIN_BOOK", "ECONOMIC_DUPLICATE", "SELF_TRADE", "RULE_TABLE"}
"""Without a rulebook there are no marks for a basket either."""
