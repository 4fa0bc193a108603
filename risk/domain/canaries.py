"""One canary for each control: the facts of an order as they are today, with the one thing wrong that the control must see.

A canary is judged by the registry that judges orders. The control it is for must not let it pass; that others refuse it too
says nothing. A control without a canary fails a test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from kernel.fix import OrdType, Side, TimeInForce
from refdata.domain.listing_facts import PriceFacts
from refdata.domain.quality import Quality
from refdata.domain.sessions import Phase
from risk.domain.answers import CheckAnswer, Verdict
from risk.domain.charge_facts import ChargeFacts
from risk.domain.checks import run_checks
from risk.domain.conduct import NOT_LOADED, Opposite, Twin
from risk.domain.facts import REPLACEABLE, Action, BlockFact, Facts, LimitFact, ReplaceRules, WorkingFacts
from risk.domain.rates import Bucket
from risk.domain.usage import VALUE_KINDS

Spoil = Callable[[Facts], Facts]
NAME = "CANARY"
TINY, HUGE, ONE = Decimal("0.00000001"), Decimal(10) ** 12, Decimal(1)


def sound(facts: Facts) -> Facts:
    """What a canary begins with: a new limit order for one lot at a price there is, whatever the day lacks."""
    price = facts.listing.price or PriceFacts(ONE, None, None, ONE, NAME, facts.at)
    return replace(facts, listing=replace(facts.listing, price=price))


def _terms(**changes: Any) -> Spoil:
    return lambda facts: replace(facts, terms=replace(facts.terms, **changes))


def _listing(**changes: Any) -> Spoil:
    return lambda facts: replace(facts, listing=replace(facts.listing, **changes))


def _account(**changes: Any) -> Spoil:
    return lambda facts: replace(facts, account=replace(facts.account, **changes))


def _operator(**changes: Any) -> Spoil:
    return lambda facts: replace(facts, operator=replace(facts.operator, **changes))


def _price(**changes: Any) -> Spoil:
    def spoil(facts: Facts) -> Facts:
        assert facts.listing.price is not None
        price = replace(facts.listing.price, **changes)
        return replace(facts, listing=replace(facts.listing, price=price, phase=Phase.CONTINUOUS))

    return spoil


def _rate(which: str) -> Spoil:
    def spoil(facts: Facts) -> Facts:
        assert facts.rates is not None
        bucket: Bucket = getattr(facts.rates, which)
        full = replace(bucket, ahead_us=bucket.mark.room_us + 1)
        return replace(facts, rates=replace(facts.rates, **{which: full}))

    return spoil


def _limit(kind: str, currency: str = "") -> Spoil:
    """A mark below anything and more than anything asked for: above it, or not counted at all, both refuse."""
    money = currency or ("GBP" if kind in VALUE_KINDS else "")
    mark = LimitFact(kind, "firm", "", money, None, TINY)
    return lambda facts: replace(facts, limits=(mark,), terms=replace(facts.terms, order_qty=HUGE))


def _replace(*, order_qty: Decimal = ONE, cum_qty: Decimal = Decimal(0), **changes: Any) -> Spoil:
    """A replace of a working order, of which its venue or its executions forbid something."""

    def spoil(facts: Facts) -> Facts:
        terms = facts.terms
        working = WorkingFacts(
            order_qty=terms.order_qty, cum_qty=cum_qty or Decimal(0), price=terms.price, stop_px=None,
            time_in_force=terms.time_in_force, reserved_cash=Decimal(0), reserved_stock=Decimal(0), replaces_open=0,
        )  # fmt: skip
        asked = replace(terms, order_qty=terms.order_qty * order_qty)
        return replace(facts, action=Action.REPLACE, terms=asked, working=replace(working, **changes))

    return spoil


def _stale(facts: Facts) -> Facts:
    return _price(priced_at=facts.at - timedelta(days=2), alive_at=None)(facts)


def _far(facts: Facts) -> Facts:
    assert facts.listing.price is not None
    return _terms(price=facts.listing.price.last * 100)(facts)


def _twin(facts: Facts) -> Facts:
    twin = Twin(NAME, facts.at, "released")
    return replace(facts, conduct=replace(facts.conduct, twins=(twin,)))


def _opposite(facts: Facts) -> Facts:
    other = Opposite(NAME, "canary", None, ONE)  # a nearness no policy allows
    return replace(facts, conduct=replace(facts.conduct, opposite=(other,)))


def _no_rulebook(facts: Facts) -> Facts:
    return replace(facts, conduct=NOT_LOADED)


def _blocked(facts: Facts) -> Facts:
    return replace(facts, blocks=(BlockFact("account", str(facts.account.account_id), "canary", "A canary's."),))


def _late_stop(facts: Facts) -> Facts:
    assert facts.listing.price is not None
    return _terms(ord_type=OrdType.STOP, price=None, stop_px=facts.listing.price.last / 2)(facts)


def _told_now(facts: Facts) -> Facts:
    return _replace(told_at=(facts.at,), rules=ReplaceRules(min_interval_ms=60_000))(facts)


CANARIES: dict[str, Spoil] = {
    "TRADING_SWITCHED_ON": lambda facts: replace(facts, trading_on=False),
    "NO_STANDING_BLOCK": _blocked,
    "OPERATOR_PERMISSION": _operator(may_enter=False),
    "SERVICE_SEND_RIGHT": _operator(is_service=True, may_send=False),
    "SOURCE_RATE": _rate("source"),
    "ACCOUNT_RATE": _rate("account"),
    "ACCOUNT_STATE": _account(state="frozen"),
    "ACCOUNT_OVERDRAWN": _account(overdrawn=True),
    "RESTRICTED_LIST": _no_rulebook,
    "MANDATE_ELIGIBILITY": _no_rulebook,
    "INSTRUMENT_ACTIVE": _listing(instrument_active=False),
    "LISTING_STATE": _listing(state="halted"),
    "MARKET_ORDER_TYPES": _listing(ord_types=frozenset()),
    "MARKET_SESSION": _listing(always_open=False, session_open_at=None),
    "SHORT_MARKING": _terms(side=Side.SELL_SHORT, locate_ref=""),
    "LOCATE_COVER": lambda facts: replace(_terms(side=Side.SELL_SHORT, locate_ref=NAME)(facts), locate=None),
    "PRICE_STEP": _terms(price=TINY),
    "LOT_SIZE": lambda facts: _terms(order_qty=facts.listing.lot_size + TINY)(facts),
    "MINIMUM_AND_DISPLAYED_QUANTITY": _terms(min_qty=HUGE),
    "EXPIRY_DATE": lambda facts: _terms(
        time_in_force=TimeInForce.GTD, expire_date=facts.listing.business_date - timedelta(days=1)
    )(facts),
    "STOP_PRICE": _late_stop,
    "REPLACE_OUTSTANDING": _replace(order_qty=Decimal(2), replaces_open=99),
    "FIELD_NOT_REPLACEABLE": _replace(changed=REPLACEABLE, rules=ReplaceRules(replaceable=frozenset())),
    "REPLACE_TOO_SOON": _told_now,
    "QUANTITY_ABOVE_EXECUTED": _replace(cum_qty=HUGE),
    "REFERENCE_PRICE": _listing(price=None),
    "PRICE_FRESHNESS": _stale,
    "PRICE_QUALITY": _price(quality=Quality.SUSPECT),
    "PRICE_COLLAR": _far,
    "SHARE_OF_VOLUME": _no_rulebook,
    "THIN_BOOK": _no_rulebook,
    "ORDER_QUANTITY_LIMIT": _terms(order_qty=HUGE),
    "ORDER_NOTIONAL_LIMIT": _terms(order_qty=HUGE),
    "OPEN_ORDERS_LIMIT": _limit("open_orders"),
    "OPEN_NOTIONAL_LIMIT": _limit("open_notional"),
    "DAILY_GROSS_LIMIT": _limit("daily_gross"),
    "DAILY_NET_LIMIT": _limit("daily_net"),
    "POSITION_QUANTITY_LIMIT": _limit("position_qty"),
    "POSITION_VALUE_LIMIT": _limit("position_value"),
    "CONCENTRATION_LIMIT": _limit("concentration"),
    "ADV_SHARE_LIMIT": _limit("adv_share"),
    "FEES_COVERED": lambda facts: replace(facts, charges=ChargeFacts(covered=False)),
    "CURRENCY_HELD": lambda facts: replace(facts, cash_available=None),
    "BUYING_POWER": lambda facts: replace(facts, cash_available=Decimal(0)),
    "SELLABLE_HOLDINGS": lambda facts: replace(_terms(side=Side.SELL)(facts), stock_available=Decimal(0)),
    "ECONOMIC_DUPLICATE": _twin,
    "SELF_TRADE": _opposite,
    "RULE_TABLE": _no_rulebook,
}
"""By code of the control."""

AT_THE_DOOR: dict[str, dict[str, Any]] = {
    "BUYING_POWER": {},
    "SELLABLE_HOLDINGS": {"side": Side.SELL},
    "SHORT_MARKING": {"side": Side.SELL_SHORT},
    "ORDER_QUANTITY_LIMIT": {"order_qty": HUGE},
    "ORDER_NOTIONAL_LIMIT": {"order_qty": HUGE},
    "PRICE_COLLAR": {"price_times": 100},
}
"""What can be wrong with an order alone, on an account that holds nothing: these are captured as orders too."""


def judge_canary(code: str, facts: Facts) -> CheckAnswer:
    """What the control says of its canary, judged as any order."""
    judgement = run_checks(CANARIES[code](sound(facts)), on_desk=False)
    return next(answer for answer in judgement.answers if answer.code == code)


def is_caught(answer: CheckAnswer) -> bool:
    """A canary is caught by anything but a pass."""
    return answer.verdict is not Verdict.PASS
