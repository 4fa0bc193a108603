"""Each check inside, at and outside its mark, and with its data missing: exact verdicts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from accounts.domain.fees import Basis, ChargeKind, ChargeTerms
from kernel.fix import OrdType, Side, TimeInForce
from kernel.numbers import Rounding
from refdata.domain.listing_facts import PriceFacts
from refdata.domain.quality import Quality
from refdata.domain.sessions import Phase
from risk.domain.charge_facts import ChargeFacts
from risk.domain.checks import BOUNDARY_CHECKS, CHECKS, RULES
from risk.domain.facts import AccountFacts, Facts, LocateFacts, OperatorFacts
from risk.domain.rates import Bucket, RateKind, RateMark
from tests.unit.risk.conduct_cases import CASES as CONDUCT
from tests.unit.risk.usage_cases import USAGE_CASES
from tests.unit.risk.world import (
    AT,
    BLOCK,
    BREAK_ALONE,
    FACTS,
    LISTING,
    PRICE,
    ROOM,
    D,
    facts,
    gate,
    limits,
    listing,
    replacing,
    terms,
)

BY_CODE = {check.code: check for check in CHECKS}
STALE = replace(PRICE, priced_at=AT - timedelta(seconds=16))
OLD = replace(PRICE, priced_at=AT - timedelta(seconds=3601))
QUIET = replace(OLD, alive_at=AT - timedelta(seconds=15))
SUSPECT = replace(PRICE, quality=Quality.SUSPECT, suspicion="JUMP", doubted_last=D("99.00"))
WITHDRAWN = replace(PRICE, quality=Quality.MISSING)
GTD = {"time_in_force": TimeInForce.GTD}
SELL = {"side": Side.SELL}
OPENS = facts(account=replace(FACTS.account, opens_currencies=True), cash_available=None)
OVERDRAWN = replace(FACTS.account, overdrawn=True)
NO_SENDER = replace(FACTS.operator, is_service=True, may_send=False)
HALTED = replace(LISTING, state="halted")
GONE = replace(LISTING, instrument_active=False)
UNPRICED = replace(LISTING, price=None)
MS = timedelta(milliseconds=1)
MINIMUM = ChargeFacts(
    (ChargeTerms("commission", 1, ChargeKind.COMMISSION, Basis.ORDER_DAY, Rounding.HALF_UP, "GBP", minimum=D(10)),)
)
PRICE_ONLY = frozenset({"price"})


def account(**changes: object) -> Facts:
    values = {"account_id": FACTS.account.account_id, "code": "ACC-1", "state": "active"}
    return facts(account=AccountFacts(**({"short_allowed": False, "client_active": True} | values | changes)))  # type: ignore[arg-type]


def operator(**changes: bool) -> Facts:
    return facts(operator=OperatorFacts(**({"may_enter": True, "trades_desk": True, "trades_group": True} | changes)))


def after_close() -> Facts:
    return listing(phase=Phase.CLOSED, session_close_at=AT)


def with_tif(base: Facts, tif: TimeInForce) -> Facts:
    return replace(base, terms=replace(base.terms, time_in_force=tif))


def market(base: Facts = FACTS) -> Facts:
    return replace(base, terms=replace(base.terms, ord_type=OrdType.MARKET, price=None))


def stop(px: str, *, side: Side = Side.BUY, limit: str | None = None) -> Facts:
    kind = OrdType.STOP_LIMIT if limit else OrdType.STOP
    return terms(side=side, ord_type=kind, stop_px=D(px), price=D(limit) if limit else None)


def priced_stop(price: PriceFacts, *, limit: str | None = None) -> Facts:
    return replace(stop("73.00", limit=limit), listing=replace(LISTING, price=price))


def closed_before_open(tif: TimeInForce) -> Facts:
    return with_tif(listing(phase=Phase.CLOSED, session_open_at=AT + timedelta(hours=1)), tif)


TEN = RateMark(RateKind.USER, amount=10, seconds=1, burst=5)  # one every 100 ms, five at once
FULL = 400_000  # four of the five are used


def source_ahead(us: int) -> Facts:
    return facts(rates=replace(ROOM, source=Bucket("user:1", us, TEN)))


def account_ahead(us: int) -> Facts:
    return facts(rates=replace(ROOM, account=Bucket("account:1", us, TEN)))


def shorting(qty: str = "1000", *, working: str = "", px: str = "72.50", left: str = "1000", **changes: Any) -> Facts:
    """A short sale of 1,000 under a locate with as many left; with ``working`` a replace of so many."""
    base = replacing(qty, px=px) if working else terms(order_qty=D(qty))
    side = changes.pop("side", Side.SELL_SHORT)
    values: dict[str, Any] = {
        "ref": "L1",
        "instrument_id": LISTING.instrument_id,
        "expires_at": AT + timedelta(hours=1),
    } | changes
    locate = LocateFacts(left=D(left), **values)
    return replace(base, terms=replace(base.terms, side=side, locate_ref="L1"), locate=locate)


CASES: list[tuple[str, str, Facts, str]] = [
    ("TRADING_SWITCHED_ON", "on", FACTS, "pass"),
    ("TRADING_SWITCHED_ON", "off", facts(trading_on=False), "refuse"),
    ("TRADING_SWITCHED_ON", "off, but asking for less", replace(replacing("500"), trading_on=False), "pass"),
    ("NO_STANDING_BLOCK", "none", FACTS, "pass"),
    ("NO_STANDING_BLOCK", "one", facts(blocks=(BLOCK,)), "refuse"),
    ("NO_STANDING_BLOCK", "one, but asking for less", replace(replacing("500"), blocks=(BLOCK,)), "pass"),
    ("NO_STANDING_BLOCK", "one, and a better price", replace(replacing("1000", px="72.60"), blocks=(BLOCK,)), "refuse"),
    ("NO_STANDING_BLOCK", "one of new orders", facts(blocks=(BREAK_ALONE,)), "refuse"),
    (
        "NO_STANDING_BLOCK",
        "one of new orders, and a better price",
        replace(replacing("1000", px="72.60"), blocks=(BREAK_ALONE,)),
        "pass",
    ),
    (
        "NO_STANDING_BLOCK",
        "one of new orders beside another",
        replace(replacing("1000", px="72.60"), blocks=(BREAK_ALONE, BLOCK)),
        "refuse",
    ),
    ("NO_STANDING_BLOCK", "a gate that is opened", facts(blocks=(gate(),)), "pass"),
    ("NO_STANDING_BLOCK", "a gate opened for every account", facts(blocks=(gate(account=""),)), "pass"),
    ("NO_STANDING_BLOCK", "a gate opened for another", facts(blocks=(gate(account=str(UUID(int=4))),)), "refuse"),
    ("NO_STANDING_BLOCK", "a gate whose opening ends now", facts(blocks=(gate(until=AT),)), "refuse"),
    ("NO_STANDING_BLOCK", "an opened gate beside another block", facts(blocks=(gate(), BLOCK)), "refuse"),
    ("NO_STANDING_BLOCK", "one gate opened of two", facts(blocks=(gate(), replace(gate(), waivers=()))), "refuse"),
    ("OPERATOR_PERMISSION", "all", FACTS, "pass"),
    ("OPERATOR_PERMISSION", "no right", operator(may_enter=False), "refuse"),
    ("OPERATOR_PERMISSION", "no desk", operator(trades_desk=False), "refuse"),
    ("OPERATOR_PERMISSION", "no group", operator(trades_group=False), "refuse"),
    ("SERVICE_SEND_RIGHT", "person without the flag", operator(may_send=False), "pass"),
    ("SERVICE_SEND_RIGHT", "service with", operator(is_service=True), "pass"),
    ("SERVICE_SEND_RIGHT", "service without", operator(is_service=True, may_send=False), "refuse"),
    ("SOURCE_RATE", "the last of the burst", source_ahead(FULL), "pass"),
    ("SOURCE_RATE", "one too many", source_ahead(FULL + 1), "refuse"),
    (
        "SOURCE_RATE",
        "one too many, but asking for less",
        replace(replacing("500"), rates=source_ahead(FULL + 1).rates),
        "pass",
    ),
    ("SOURCE_RATE", "nothing known", facts(rates=None), "refuse"),
    ("ACCOUNT_RATE", "the last of the burst", account_ahead(FULL), "pass"),
    ("ACCOUNT_RATE", "one too many", account_ahead(FULL + 1), "refuse"),
    (
        "ACCOUNT_RATE",
        "one too many, but asking for less",
        replace(replacing("500"), rates=account_ahead(FULL + 1).rates),
        "pass",
    ),
    ("ACCOUNT_RATE", "nothing known", facts(rates=None), "refuse"),
    ("ACCOUNT_STATE", "active", FACTS, "pass"),
    ("ACCOUNT_STATE", "frozen", account(state="frozen"), "refuse"),
    ("ACCOUNT_STATE", "closed", account(state="closed"), "refuse"),
    ("ACCOUNT_STATE", "unheard of", account(state="new_state"), "refuse"),
    ("ACCOUNT_STATE", "client inactive", account(client_active=False), "refuse"),
    ("ACCOUNT_STATE", "reduce only, buying", account(state="reduce_only"), "refuse"),
    (
        "ACCOUNT_STATE",
        "reduce only, selling",
        replace(account(state="reduce_only"), terms=replace(FACTS.terms, side=Side.SELL)),
        "pass",
    ),
    ("INSTRUMENT_ACTIVE", "active", FACTS, "pass"),
    ("INSTRUMENT_ACTIVE", "inactive", listing(instrument_active=False), "refuse"),
    ("LISTING_STATE", "trading", FACTS, "pass"),
    ("LISTING_STATE", "halted", listing(state="halted"), "refuse"),
    ("LISTING_STATE", "suspended", listing(state="suspended"), "refuse"),
    ("MARKET_ORDER_TYPES", "taken", FACTS, "pass"),
    ("MARKET_ORDER_TYPES", "type not taken", listing(ord_types=frozenset("1")), "refuse"),
    ("MARKET_ORDER_TYPES", "time in force not taken", listing(times_in_force=frozenset("3")), "refuse"),
    ("MARKET_ORDER_TYPES", "nothing known", listing(ord_types=frozenset()), "refuse"),
    ("MARKET_SESSION", "open", FACTS, "pass"),
    ("MARKET_SESSION", "holiday", listing(phase=Phase.HOLIDAY), "refuse"),
    ("MARKET_SESSION", "holiday, till canceled", with_tif(listing(phase=Phase.HOLIDAY), TimeInForce.GTC), "pass"),
    ("MARKET_SESSION", "closed at this moment", after_close(), "refuse"),
    ("MARKET_SESSION", "closed, till canceled", with_tif(after_close(), TimeInForce.GTC), "pass"),
    ("MARKET_SESSION", "before the open", closed_before_open(TimeInForce.DAY), "pass"),
    ("MARKET_SESSION", "immediate before the open", closed_before_open(TimeInForce.IOC), "refuse"),
    ("MARKET_SESSION", "at the open before it", closed_before_open(TimeInForce.AT_OPEN), "pass"),
    ("MARKET_SESSION", "at the open after it", with_tif(FACTS, TimeInForce.AT_OPEN), "refuse"),
    (
        "MARKET_SESSION",
        "fill or kill in an auction",
        with_tif(listing(phase=Phase.CLOSING_AUCTION), TimeInForce.FOK),
        "refuse",
    ),
    ("MARKET_SESSION", "no calendar", listing(session_open_at=None, session_close_at=None), "refuse"),
    ("MARKET_SESSION", "always open", listing(always_open=True, session_open_at=None), "pass"),
    ("SHORT_MARKING", "long", FACTS, "pass"),
    ("SHORT_MARKING", "not allowed", terms(side=Side.SELL_SHORT, locate_ref="L1"), "refuse"),
    (
        "SHORT_MARKING",
        "no locate",
        replace(account(short_allowed=True), terms=replace(FACTS.terms, side=Side.SELL_SHORT)),
        "refuse",
    ),
    (
        "SHORT_MARKING",
        "allowed with locate",
        replace(account(short_allowed=True), terms=replace(FACTS.terms, side=Side.SELL_SHORT, locate_ref="L1")),
        "pass",
    ),
    ("ACCOUNT_OVERDRAWN", "covered", FACTS, "pass"),
    ("ACCOUNT_OVERDRAWN", "buy", account(overdrawn=True), "refuse"),
    ("ACCOUNT_OVERDRAWN", "sell of what is held", replace(terms(**SELL), account=OVERDRAWN), "pass"),
    ("LOCATE_COVER", "buys", FACTS, "pass"),
    ("LOCATE_COVER", "sells what it owns", terms(**SELL, locate_ref="L1"), "pass"),
    ("LOCATE_COVER", "none named, which is another check's", terms(side=Side.SELL_SHORT), "pass"),
    ("LOCATE_COVER", "inside", shorting(left="1001"), "pass"),
    ("LOCATE_COVER", "at the mark", shorting(left="1000"), "pass"),
    ("LOCATE_COVER", "outside", shorting(left="999.99999999"), "refuse"),
    ("LOCATE_COVER", "used up by facts and more", shorting(left="-5"), "refuse"),
    ("LOCATE_COVER", "not on record", replace(shorting(), locate=None), "refuse"),
    ("LOCATE_COVER", "of another instrument", shorting(instrument_id=UUID(int=99)), "refuse"),
    ("LOCATE_COVER", "expires this moment", shorting(expires_at=AT), "refuse"),
    ("LOCATE_COVER", "the last moment", shorting(expires_at=AT + timedelta(microseconds=1)), "pass"),
    ("LOCATE_COVER", "exempt sales too", shorting(left="999", side=Side.SELL_SHORT_EXEMPT), "refuse"),
    ("LOCATE_COVER", "replaced by more than is left", shorting("1500", left="1499", working="1000"), "refuse"),
    ("LOCATE_COVER", "replaced by all that is left", shorting("1500", left="1500", working="1000"), "pass"),
    ("LOCATE_COVER", "asks for less, expired and overused", shorting("900", left="-5", working="1000"), "pass"),
    ("LOCATE_COVER", "another price, as much, overused", shorting(left="5", working="1000", px="70.00"), "pass"),
    ("LOCATE_COVER", "another price, expired", shorting(working="1000", px="70.00", expires_at=AT), "refuse"),
    ("ACCOUNT_OVERDRAWN", "short sale", replace(terms(side=Side.SELL_SHORT), account=OVERDRAWN), "refuse"),
    ("ACCOUNT_OVERDRAWN", "replace to less", replace(replacing("900"), account=OVERDRAWN), "pass"),
    ("ACCOUNT_OVERDRAWN", "replace to more", replace(replacing("1100"), account=OVERDRAWN), "refuse"),
    ("PRICE_STEP", "on a step", FACTS, "pass"),
    ("PRICE_STEP", "first of the coarser band", terms(price=D("100.1")), "pass"),
    ("PRICE_STEP", "between steps", terms(price=D("72.505")), "refuse"),
    ("PRICE_STEP", "finer than the coarser band", terms(price=D("100.01")), "refuse"),
    ("PRICE_STEP", "stop between steps", stop("75.001"), "refuse"),
    ("PRICE_STEP", "no steps known", listing(ticks=()), "refuse"),
    ("LOT_SIZE", "whole", FACTS, "pass"),
    ("LOT_SIZE", "one lot", terms(order_qty=D(10)), "pass"),
    ("LOT_SIZE", "broken", terms(order_qty=D(1005)), "refuse"),
    ("MINIMUM_AND_DISPLAYED_QUANTITY", "none", FACTS, "pass"),
    ("MINIMUM_AND_DISPLAYED_QUANTITY", "at the quantity", terms(min_qty=D(1000)), "pass"),
    ("MINIMUM_AND_DISPLAYED_QUANTITY", "above it", terms(max_floor=D(1010)), "refuse"),
    ("MINIMUM_AND_DISPLAYED_QUANTITY", "broken lot", terms(max_floor=D(105)), "refuse"),
    (
        "MINIMUM_AND_DISPLAYED_QUANTITY",
        "with fill or kill",
        terms(min_qty=D(100), time_in_force=TimeInForce.FOK),
        "refuse",
    ),
    (
        "MINIMUM_AND_DISPLAYED_QUANTITY",
        "shown, immediate",
        terms(max_floor=D(100), time_in_force=TimeInForce.IOC),
        "refuse",
    ),
    ("MINIMUM_AND_DISPLAYED_QUANTITY", "minimum above shown", terms(min_qty=D(200), max_floor=D(100)), "refuse"),
    ("EXPIRY_DATE", "not needed", FACTS, "pass"),
    ("EXPIRY_DATE", "today", terms(expire_date=date(2026, 11, 20), **GTD), "pass"),
    ("EXPIRY_DATE", "yesterday", terms(expire_date=date(2026, 11, 19), **GTD), "refuse"),
    ("EXPIRY_DATE", "now", terms(expire_at=AT, **GTD), "refuse"),
    ("EXPIRY_DATE", "in a second", terms(expire_at=AT + timedelta(seconds=1), **GTD), "pass"),
    ("EXPIRY_DATE", "a year and a day", terms(expire_date=date(2027, 11, 21), **GTD), "pass"),
    ("EXPIRY_DATE", "later", terms(expire_date=date(2027, 11, 22), **GTD), "refuse"),
    ("EXPIRY_DATE", "missing", terms(**GTD), "refuse"),
    ("STOP_PRICE", "no stop", FACTS, "pass"),
    ("STOP_PRICE", "above the market, buying", stop("72.51"), "pass"),
    ("STOP_PRICE", "at the market, buying", stop("72.50"), "acknowledge"),
    ("STOP_PRICE", "below the market, selling", stop("72.49", side=Side.SELL), "pass"),
    ("STOP_PRICE", "at the market, selling", stop("72.50", side=Side.SELL), "acknowledge"),
    ("STOP_PRICE", "limit at the stop", stop("75", limit="75"), "pass"),
    ("STOP_PRICE", "limit below the stop, buying", stop("75", limit="74.99"), "refuse"),
    ("STOP_PRICE", "limit above the stop, selling", stop("70", side=Side.SELL, limit="70.01"), "refuse"),
    ("REPLACE_OUTSTANDING", "new", FACTS, "pass"),
    ("REPLACE_OUTSTANDING", "first", replacing("900"), "pass"),
    ("REPLACE_OUTSTANDING", "second", replacing("900", open_replaces=1), "refuse"),
    ("REPLACE_OUTSTANDING", "second of two", replacing("900", open_replaces=1, max_outstanding=2), "pass"),
    ("REPLACE_OUTSTANDING", "third of two", replacing("900", open_replaces=2, max_outstanding=2), "refuse"),
    ("REPLACE_OUTSTANDING", "none taken", replacing("900", max_outstanding=0), "refuse"),
    ("FIELD_NOT_REPLACEABLE", "new", FACTS, "pass"),
    ("FIELD_NOT_REPLACEABLE", "all are", replacing("900", changed=("order_qty", "expire_date")), "pass"),
    ("FIELD_NOT_REPLACEABLE", "only the price", replacing("900", changed=("price",), replaceable=PRICE_ONLY), "pass"),
    ("FIELD_NOT_REPLACEABLE", "not this", replacing("900", changed=("order_qty",), replaceable=PRICE_ONLY), "refuse"),
    ("REPLACE_TOO_SOON", "new", FACTS, "pass"),
    ("REPLACE_TOO_SOON", "no rule", replacing("900", told=(MS,)), "pass"),
    ("REPLACE_TOO_SOON", "first", replacing("900", min_interval_ms=2), "pass"),
    ("REPLACE_TOO_SOON", "within", replacing("900", told=(MS, 9 * MS), min_interval_ms=2), "refuse"),
    ("REPLACE_TOO_SOON", "at its end", replacing("900", told=(2 * MS,), min_interval_ms=2), "pass"),
    ("REPLACE_TOO_SOON", "second of two", replacing("900", told=(MS,), max_a_minute=2), "pass"),
    ("REPLACE_TOO_SOON", "third of two", replacing("900", told=(MS, 59_999 * MS), max_a_minute=2), "refuse"),
    ("REPLACE_TOO_SOON", "a minute later", replacing("900", told=(MS, 60_000 * MS), max_a_minute=2), "pass"),
    ("QUANTITY_ABOVE_EXECUTED", "new", FACTS, "pass"),
    ("QUANTITY_ABOVE_EXECUTED", "above", replacing("510", cum="500"), "pass"),
    ("QUANTITY_ABOVE_EXECUTED", "at", replacing("500", cum="500"), "refuse"),
    ("QUANTITY_ABOVE_EXECUTED", "stops", replacing("400", cum="500", below_executed_stops=True), "pass"),
    ("QUANTITY_ABOVE_EXECUTED", "filled", replacing("400", cum="1000", below_executed_stops=True), "refuse"),
    ("REFERENCE_PRICE", "fresh", FACTS, "pass"),
    ("REFERENCE_PRICE", "none", listing(price=None), "refuse"),
    ("REFERENCE_PRICE", "at the last mark", listing(price=replace(PRICE, priced_at=AT - timedelta(hours=1))), "pass"),
    ("REFERENCE_PRICE", "beyond it, limit", listing(price=OLD), "authorise"),
    ("REFERENCE_PRICE", "beyond it, market", market(listing(price=OLD)), "refuse"),
    ("REFERENCE_PRICE", "beyond it, no close", listing(price=replace(OLD, previous_close=None)), "refuse"),
    ("REFERENCE_PRICE", "old while closed", listing(price=OLD, phase=Phase.CLOSED), "pass"),
    ("REFERENCE_PRICE", "no mark", facts(limits=limits(without="price_age")), "refuse"),
    ("PRICE_FRESHNESS", "fresh", FACTS, "pass"),
    ("PRICE_FRESHNESS", "at the mark", listing(price=replace(PRICE, priced_at=AT - timedelta(seconds=15))), "pass"),
    ("PRICE_FRESHNESS", "stale", listing(price=STALE), "authorise"),
    ("PRICE_FRESHNESS", "stale while closed", listing(price=STALE, phase=Phase.CLOSED), "pass"),
    ("PRICE_FRESHNESS", "no mark", facts(limits=limits(without="price_age")), "refuse"),
    ("PRICE_FRESHNESS", "quiet instrument, live feed", listing(price=QUIET), "pass"),
    (
        "PRICE_FRESHNESS",
        "stale, asks for less",
        replace(replacing("900"), listing=listing(price=STALE).listing),
        "pass",
    ),
    ("REFERENCE_PRICE", "quiet instrument, live feed", market(listing(price=QUIET)), "pass"),
    (
        "REFERENCE_PRICE",
        "beyond it, asks for less",
        replace(replacing("900"), listing=listing(price=None).listing),
        "pass",
    ),
    ("REFERENCE_PRICE", "beyond it, stop-limit", priced_stop(OLD, limit="72.50"), "authorise"),
    ("REFERENCE_PRICE", "beyond it, stop", priced_stop(OLD), "refuse"),
    ("REFERENCE_PRICE", "withdrawn, limit", listing(price=WITHDRAWN), "authorise"),
    ("REFERENCE_PRICE", "withdrawn, market", market(listing(price=WITHDRAWN)), "refuse"),
    (
        "REFERENCE_PRICE",
        "withdrawn while closed, market",
        market(listing(price=WITHDRAWN, phase=Phase.CLOSED)),
        "refuse",
    ),
    ("REFERENCE_PRICE", "withdrawn, no close", listing(price=replace(WITHDRAWN, previous_close=None)), "refuse"),
    ("PRICE_QUALITY", "good", FACTS, "pass"),
    ("PRICE_QUALITY", "no price is not its matter", listing(price=None), "pass"),
    ("PRICE_QUALITY", "suspect, limit", listing(price=SUSPECT), "authorise"),
    ("PRICE_QUALITY", "suspect, market", market(listing(price=SUSPECT)), "refuse"),
    ("PRICE_QUALITY", "suspect while closed, market", market(listing(price=SUSPECT, phase=Phase.CLOSED)), "refuse"),
    ("PRICE_QUALITY", "suspect without figures", listing(price=replace(SUSPECT, doubted_last=None)), "authorise"),
    (
        "PRICE_QUALITY",
        "suspect, asks for less",
        replace(replacing("900"), listing=listing(price=SUSPECT).listing),
        "pass",
    ),
    (
        "PRICE_QUALITY",
        "suspect, asks for more",
        replace(replacing("1100"), listing=listing(price=SUSPECT).listing),
        "authorise",
    ),
    ("PRICE_COLLAR", "no limit", market(), "pass"),
    ("PRICE_COLLAR", "at the first mark", terms(price=D("79.75")), "pass"),
    ("PRICE_COLLAR", "beyond it", terms(price=D("79.76")), "acknowledge"),
    ("PRICE_COLLAR", "at the second mark", terms(price=D("50.75")), "acknowledge"),
    ("PRICE_COLLAR", "beyond both", terms(price=D("50.74")), "refuse"),
    ("PRICE_COLLAR", "no mark", facts(limits=limits(without="price_collar")), "refuse"),
    ("PRICE_COLLAR", "no price", listing(price=None), "refuse"),
    ("PRICE_COLLAR", "price of zero", listing(price=replace(PRICE, last=D(0))), "refuse"),
    ("ORDER_QUANTITY_LIMIT", "at the warning", terms(order_qty=D(50000)), "pass"),
    ("ORDER_QUANTITY_LIMIT", "above it", terms(order_qty=D(50010)), "authorise"),
    ("ORDER_QUANTITY_LIMIT", "at the limit", terms(order_qty=D(100000)), "authorise"),
    ("ORDER_QUANTITY_LIMIT", "above it all", terms(order_qty=D(100010)), "refuse"),
    ("ORDER_QUANTITY_LIMIT", "missing", facts(limits=limits(without="order_qty")), "refuse"),
    ("ORDER_NOTIONAL_LIMIT", "at the warning", terms(order_qty=D(40000), price=D("100")), "pass"),
    ("ORDER_NOTIONAL_LIMIT", "above it", terms(order_qty=D(40010), price=D("100")), "authorise"),
    ("ORDER_NOTIONAL_LIMIT", "at the limit", terms(order_qty=D(80000), price=D("100")), "authorise"),
    ("ORDER_NOTIONAL_LIMIT", "above it all", terms(order_qty=D(80010), price=D("100")), "refuse"),
    ("ORDER_NOTIONAL_LIMIT", "missing", facts(limits=limits(without="order_notional")), "refuse"),
    ("ORDER_NOTIONAL_LIMIT", "another currency", listing(currency="EUR"), "refuse"),
    ("ORDER_NOTIONAL_LIMIT", "no price", market(listing(price=None)), "refuse"),
    ("BUYING_POWER", "exactly enough", facts(cash_available=D("725.00")), "pass"),
    ("BUYING_POWER", "a penny short", facts(cash_available=D("724.99")), "refuse"),
    ("BUYING_POWER", "fees at the mark", facts(cash_available=D("735.00"), charges=MINIMUM), "pass"),
    ("BUYING_POWER", "fees count", facts(cash_available=D("734.99"), charges=MINIMUM), "refuse"),
    ("FEES_COVERED", "a schedule", facts(charges=MINIMUM), "pass"),
    ("FEES_COVERED", "a schedule of no charge", facts(charges=ChargeFacts()), "pass"),
    ("FEES_COVERED", "no schedule", facts(charges=ChargeFacts(covered=False)), "refuse"),
    ("CURRENCY_HELD", "a balance", facts(cash_available=D(0)), "pass"),
    ("CURRENCY_HELD", "no balance", replace(terms(**SELL), cash_available=None), "refuse"),
    ("CURRENCY_HELD", "may open one", replace(OPENS, terms=terms(**SELL).terms), "pass"),
    ("CURRENCY_HELD", "not to buy with", OPENS, "refuse"),
    ("BUYING_POWER", "no such cash", facts(cash_available=None), "refuse"),
    ("BUYING_POWER", "market takes five per cent more", market(facts(cash_available=D("761.24"))), "refuse"),
    ("BUYING_POWER", "market with that", market(facts(cash_available=D("761.25"))), "pass"),
    ("BUYING_POWER", "market without a price", market(listing(price=None)), "refuse"),
    ("BUYING_POWER", "selling", replace(terms(**SELL), cash_available=None), "pass"),
    ("BUYING_POWER", "replace within its own hold", replace(replacing("900"), cash_available=D(-50)), "pass"),
    ("SELLABLE_HOLDINGS", "buying", facts(stock_available=None), "pass"),
    ("SELLABLE_HOLDINGS", "all of it", terms(order_qty=D(5000), **SELL), "pass"),
    ("SELLABLE_HOLDINGS", "more than it", terms(order_qty=D(5010), **SELL), "refuse"),
    ("SELLABLE_HOLDINGS", "none", replace(terms(**SELL), stock_available=None), "refuse"),
    ("SELLABLE_HOLDINGS", "short", replace(terms(side=Side.SELL_SHORT), stock_available=None), "pass"),
    ("TRADING_SWITCHED_ON", "on, asking for more", replacing("1500"), "pass"),
    ("SERVICE_SEND_RIGHT", "service without, asking for less", replace(replacing("500"), operator=NO_SENDER), "refuse"),
    ("SOURCE_RATE", "inside", source_ahead(0), "pass"),
    ("ACCOUNT_RATE", "inside", account_ahead(0), "pass"),
    ("LISTING_STATE", "unheard of", listing(state="paused"), "refuse"),
    ("LISTING_STATE", "halted, but asking for less", replace(replacing("500"), listing=HALTED), "pass"),
    ("INSTRUMENT_ACTIVE", "inactive, but asking for less", replace(replacing("500"), listing=GONE), "pass"),
    ("LOT_SIZE", "less than one lot", terms(order_qty=D(9)), "refuse"),
    ("STOP_PRICE", "no price is another check's", replace(stop("72.51"), listing=UNPRICED), "pass"),
    ("PRICE_COLLAR", "inside", terms(price=D("75")), "pass"),
    ("PRICE_FRESHNESS", "no price is another check's", listing(price=None), "pass"),
    ("ORDER_QUANTITY_LIMIT", "inside", FACTS, "pass"),
    ("ORDER_NOTIONAL_LIMIT", "inside", FACTS, "pass"),
    ("BUYING_POWER", "inside", FACTS, "pass"),
    ("SELLABLE_HOLDINGS", "inside", terms(order_qty=D(4990), **SELL), "pass"),
    ("SELLABLE_HOLDINGS", "nothing left", replace(terms(**SELL), stock_available=D(0)), "refuse"),
    *USAGE_CASES,
    *CONDUCT,
]


@pytest.mark.parametrize(("code", "case", "given", "verdict"), CASES, ids=[f"{c[0]}: {c[1]}" for c in CASES])
def test_verdict(code: str, case: str, given: Facts, verdict: str) -> None:
    answer = BY_CODE[code].answer(given)
    assert (answer.verdict.word, answer.code) == (verdict, code), answer
    assert bool(answer.sentence) == (verdict != "pass")


def test_every_check_is_tried_both_ways() -> None:
    for code in BY_CODE:
        verdicts = {case[3] for case in CASES if case[0] == code}
        assert "pass" in verdicts, code
        assert len(verdicts) > 1, code


def test_codes_are_unique_and_rules_are_sentences() -> None:
    assert len(BY_CODE) == len(CHECKS)
    assert all(rule.endswith(".") for rule in RULES.values())


def test_the_boundary_looks_at_what_may_change_after_capture() -> None:
    assert [check.code for check in BOUNDARY_CHECKS] == [
        "TRADING_SWITCHED_ON",
        "NO_STANDING_BLOCK",
        "ACCOUNT_STATE",
        "ACCOUNT_OVERDRAWN",
        "RESTRICTED_LIST",
        "MANDATE_ELIGIBILITY",
        "INSTRUMENT_ACTIVE",
        "LISTING_STATE",
        "MARKET_SESSION",
        "LOCATE_COVER",
        "REFERENCE_PRICE",
        "PRICE_QUALITY",
    ]


def test_a_restricted_instrument_says_no_more_than_that() -> None:
    secret = replace(BLOCK, source="restricted", reason="Merger talks")
    answer = BY_CODE["NO_STANDING_BLOCK"].answer(facts(blocks=(BLOCK, secret)))
    assert answer.sentence == "This instrument is restricted, contact compliance."
    assert "Merger" not in str(answer)


def test_the_tightest_of_several_limits_holds() -> None:
    desk = replace(FACTS.limits[0], scope="desk", scope_id="1", warn=None, hard=Decimal(900))
    answer = BY_CODE["ORDER_QUANTITY_LIMIT"].answer(facts(limits=(*FACTS.limits, desk)))
    assert (answer.verdict.word, answer.facts["scope"]) == ("refuse", "desk")
    assert LISTING.symbol == "VOD.L"
