"""What each limit on usage and position answers inside, at and outside its marks, and with its data missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from kernel.fix import Side
from risk.domain.facts import Facts, LimitFact
from risk.domain.usage import Counted, PositionFacts, ScopeUsage, UsageFacts
from tests.unit.risk.world import FACTS, LIMITS, LISTING, D, replacing, terms

DAY = LISTING.business_date
FIRM = ScopeUsage("firm", "", 7, 3, D(1000), D(500), {DAY: (D(2000), D(700)), date(2026, 11, 19): (D(9000), D(9000))})
HELD = PositionFacts(units=D(300), open_buy=D(200), open_sell=D(100), account_value=D(10_000))
ONE = D(1)
SELL = Side.SELL


def usage(
    kind: str,
    warn: str | None,
    hard: str,
    base: Facts = FACTS,
    *,
    scope: ScopeUsage | None = FIRM,
    rate: str | None = "1",
    position: PositionFacts | None = HELD,
    own: Counted = Counted(),  # noqa: B008
    currency: str = "GBP",
) -> Facts:
    """A request of 1,000 units at 72.50 (GBP 725.00) against one mark of the firm."""
    mark = LimitFact(kind, "firm", "", currency, D(warn) if warn else None, D(hard))
    given = UsageFacts((scope,) if scope else (), own, own, D(rate) if rate else None, position)
    return replace(base, limits=(*LIMITS, mark), usage=given)


SALE = terms(side=SELL)
LESS = replace(replacing("500"), limits=LIMITS)
MORE = replace(replacing("1100"), limits=LIMITS)
OWN = Counted(1, D(1000), D("725.00"))


def of_volume(warn: str, hard: str) -> Facts:
    """One mark on the share of a daily volume of 10,000; the position would be 1,500."""
    known = replace(LISTING, average_daily_volume=D(10_000))
    return replace(usage("adv_share", warn, hard, currency=""), listing=known)


USAGE_CASES: list[tuple[str, str, Facts, str]] = [
    ("OPEN_ORDERS_LIMIT", "no mark", FACTS, "pass"),
    ("OPEN_ORDERS_LIMIT", "at the warning", usage("open_orders", "4", "5"), "pass"),
    ("OPEN_ORDERS_LIMIT", "above the warning", usage("open_orders", "3", "5"), "acknowledge"),
    ("OPEN_ORDERS_LIMIT", "at the limit", usage("open_orders", "3", "4"), "acknowledge"),
    ("OPEN_ORDERS_LIMIT", "above the limit", usage("open_orders", None, "3"), "refuse"),
    ("OPEN_ORDERS_LIMIT", "above it, but a replace is no new order", usage("open_orders", None, "2", MORE, own=OWN), "pass"),
    ("OPEN_ORDERS_LIMIT", "not counted", usage("open_orders", None, "9", scope=None), "refuse"),
    ("OPEN_ORDERS_LIMIT", "no rate is needed", usage("open_orders", None, "4", rate=None), "pass"),
    ("OPEN_NOTIONAL_LIMIT", "no mark", FACTS, "pass"),
    ("OPEN_NOTIONAL_LIMIT", "at the warning", usage("open_notional", "2225", "9000"), "pass"),
    ("OPEN_NOTIONAL_LIMIT", "above the warning", usage("open_notional", "2224.99", "9000"), "authorise"),
    ("OPEN_NOTIONAL_LIMIT", "at the limit", usage("open_notional", "1", "2225"), "authorise"),
    ("OPEN_NOTIONAL_LIMIT", "above the limit", usage("open_notional", None, "2224.99"), "refuse"),
    ("OPEN_NOTIONAL_LIMIT", "sells are not netted", usage("open_notional", None, "2224.99", SALE), "refuse"),
    ("OPEN_NOTIONAL_LIMIT", "by the rate", usage("open_notional", None, "2950", rate="2"), "pass"),
    ("OPEN_NOTIONAL_LIMIT", "above by the rate", usage("open_notional", None, "2949.99", rate="2"), "refuse"),
    ("OPEN_NOTIONAL_LIMIT", "no rate", usage("open_notional", None, "9000", rate=None), "refuse"),
    ("OPEN_NOTIONAL_LIMIT", "not counted", usage("open_notional", None, "9000", scope=None), "refuse"),
    ("OPEN_NOTIONAL_LIMIT", "a mark in another currency", usage("open_notional", None, "1", currency="USD"), "pass"),
    ("OPEN_NOTIONAL_LIMIT", "a replace to less", usage("open_notional", None, "1", LESS, own=OWN), "pass"),
    ("OPEN_NOTIONAL_LIMIT", "a replace to more", usage("open_notional", None, "1572.49", MORE, own=OWN), "refuse"),
    ("OPEN_NOTIONAL_LIMIT", "a replace to more, at the limit", usage("open_notional", None, "1572.50", MORE, own=OWN), "pass"),
    ("DAILY_GROSS_LIMIT", "no mark", FACTS, "pass"),
    ("DAILY_GROSS_LIMIT", "at the warning", usage("daily_gross", "4925", "9000"), "pass"),
    ("DAILY_GROSS_LIMIT", "above the warning", usage("daily_gross", "4924", "9000"), "authorise"),
    ("DAILY_GROSS_LIMIT", "at the limit", usage("daily_gross", "1", "4925"), "authorise"),
    ("DAILY_GROSS_LIMIT", "above the limit", usage("daily_gross", None, "4924.99", SALE), "refuse"),
    ("DAILY_GROSS_LIMIT", "not counted", usage("daily_gross", None, "9000", scope=None), "refuse"),
    (
        "DAILY_GROSS_LIMIT", "another business date has nothing traded",
        replace(
            usage("daily_gross", None, "2225"),
            listing=replace(LISTING, business_date=date(2026, 11, 23)),
        ),
        "pass",
    ),
    ("DAILY_NET_LIMIT", "no mark", FACTS, "pass"),
    ("DAILY_NET_LIMIT", "at the warning", usage("daily_net", "3025", "9000"), "pass"),
    ("DAILY_NET_LIMIT", "above the warning", usage("daily_net", "3024", "9000"), "authorise"),
    ("DAILY_NET_LIMIT", "at the limit", usage("daily_net", "1", "3025"), "authorise"),
    ("DAILY_NET_LIMIT", "above the limit", usage("daily_net", None, "3024.99"), "refuse"),
    ("DAILY_NET_LIMIT", "a sale from a long day", usage("daily_net", None, "1", SALE), "pass"),
    ("DAILY_NET_LIMIT", "not counted", usage("daily_net", None, "9000", scope=None), "refuse"),
    ("POSITION_QUANTITY_LIMIT", "no mark", FACTS, "pass"),
    ("POSITION_QUANTITY_LIMIT", "at the warning", usage("position_qty", "1500", "9000", currency=""), "pass"),
    ("POSITION_QUANTITY_LIMIT", "above the warning", usage("position_qty", "1499", "9000", currency=""), "authorise"),
    ("POSITION_QUANTITY_LIMIT", "at the limit", usage("position_qty", "1", "1500", currency=""), "authorise"),
    ("POSITION_QUANTITY_LIMIT", "above the limit", usage("position_qty", None, "1499", currency=""), "refuse"),
    ("POSITION_QUANTITY_LIMIT", "a sale into a short", usage("position_qty", None, "799", SALE, currency=""), "refuse"),
    ("POSITION_QUANTITY_LIMIT", "a sale, at the limit", usage("position_qty", None, "800", SALE, currency=""), "pass"),
    (
        "POSITION_QUANTITY_LIMIT", "what reduces passes a breached limit",
        usage("position_qty", None, "1", terms(side=SELL, order_qty=D(200)), currency=""), "pass",
    ),
    ("POSITION_QUANTITY_LIMIT", "not known", usage("position_qty", None, "9000", position=None, currency=""), "refuse"),
    ("POSITION_VALUE_LIMIT", "no mark", FACTS, "pass"),
    ("POSITION_VALUE_LIMIT", "at the limit", usage("position_value", "1", "1087.5"), "authorise"),
    ("POSITION_VALUE_LIMIT", "above the limit", usage("position_value", None, "1087.49"), "refuse"),
    ("POSITION_VALUE_LIMIT", "no rate", usage("position_value", None, "9000", rate=None), "refuse"),
    ("CONCENTRATION_LIMIT", "no mark", FACTS, "pass"),
    ("CONCENTRATION_LIMIT", "at the warning", usage("concentration", "0.1000", "0.5", currency=""), "pass"),
    ("CONCENTRATION_LIMIT", "above the warning", usage("concentration", "0.0999", "0.5", currency=""), "acknowledge"),
    ("CONCENTRATION_LIMIT", "above the limit", usage("concentration", None, "0.0999", currency=""), "refuse"),
    (
        "CONCENTRATION_LIMIT", "an account that cannot be valued",
        usage("concentration", None, "0.9", position=replace(HELD, account_value=None), currency=""), "refuse",
    ),
    ("ADV_SHARE_LIMIT", "no mark", FACTS, "pass"),
    ("ADV_SHARE_LIMIT", "no volume", usage("adv_share", None, "0.5", currency=""), "refuse"),
    (
        "ADV_SHARE_LIMIT", "at the limit",
        replace(usage("adv_share", None, "0.1500", currency=""), listing=replace(LISTING, average_daily_volume=D(10_000))),
        "pass",
    ),
    (
        "ADV_SHARE_LIMIT", "above the limit",
        replace(usage("adv_share", None, "0.1499", currency=""), listing=replace(LISTING, average_daily_volume=D(10_000))),
        "refuse",
    ),
    ("OPEN_ORDERS_LIMIT", "inside", usage("open_orders", "8", "9"), "pass"),
    ("OPEN_NOTIONAL_LIMIT", "inside", usage("open_notional", "8000", "9000"), "pass"),
    ("DAILY_GROSS_LIMIT", "inside", usage("daily_gross", "8000", "9000"), "pass"),
    ("DAILY_GROSS_LIMIT", "no rate", usage("daily_gross", None, "9000", rate=None), "refuse"),
    ("DAILY_NET_LIMIT", "inside", usage("daily_net", "8000", "9000"), "pass"),
    ("DAILY_NET_LIMIT", "no rate", usage("daily_net", None, "9000", rate=None), "refuse"),
    ("POSITION_QUANTITY_LIMIT", "inside", usage("position_qty", "8000", "9000", currency=""), "pass"),
    ("POSITION_VALUE_LIMIT", "inside", usage("position_value", "8000", "9000"), "pass"),
    ("POSITION_VALUE_LIMIT", "at the warning", usage("position_value", "1087.5", "9000"), "pass"),
    ("POSITION_VALUE_LIMIT", "above the warning", usage("position_value", "1087.49", "9000"), "authorise"),
    ("POSITION_VALUE_LIMIT", "not known", usage("position_value", None, "9000", position=None), "refuse"),
    ("CONCENTRATION_LIMIT", "inside", usage("concentration", "0.4", "0.5", currency=""), "pass"),
    ("CONCENTRATION_LIMIT", "at the limit", usage("concentration", "0.01", "0.1000", currency=""), "acknowledge"),
    ("CONCENTRATION_LIMIT", "no rate", usage("concentration", None, "0.9", rate=None, currency=""), "refuse"),
    ("CONCENTRATION_LIMIT", "not known", usage("concentration", None, "0.9", position=None, currency=""), "refuse"),
    ("ADV_SHARE_LIMIT", "inside", of_volume("0.4", "0.5"), "pass"),
    ("ADV_SHARE_LIMIT", "at the warning", of_volume("0.1500", "0.5"), "pass"),
    ("ADV_SHARE_LIMIT", "above the warning", of_volume("0.1499", "0.5"), "acknowledge"),
    ("ADV_SHARE_LIMIT", "not known", replace(of_volume("0.1", "0.9"), usage=UsageFacts()), "refuse"),
]  # fmt: skip
