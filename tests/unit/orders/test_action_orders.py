"""What becomes of open orders: FINRA 5330 where it holds, the cautious rule elsewhere, terms to the tick."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from orders.domain.action_orders import Adjusted, Planned, Treatment, Working, has_come_to, plan, undone
from refdata.domain.action_terms import ActionKind, ActionTerms, Fractions
from refdata.domain.tick_table import Band

TICKS = (Band(Decimal(0), Decimal("0.01")), Band(Decimal(100), Decimal("0.1")))
EX = date(2026, 11, 23)
BUY, SELL = "1", "2"


def action(kind: str, new: str = "2", old: str = "1", amount: str = "0.255") -> ActionTerms:
    split = ActionKind(kind).is_split
    return ActionTerms(
        ActionKind(kind),
        EX,
        pay_date=EX,
        ratio_new=Decimal(new) if split else None,
        ratio_old=Decimal(old) if split else None,
        amount=Decimal(amount) if kind == "cash_dividend" else None,
        currency="USD",
        fractions=Fractions.DOWN,
        new_symbol="NEW" if kind == "name_change" else "",
        new_venue_symbol="NEW" if kind == "name_change" else "",
    )


def order(side: str = BUY, price: str | None = "50.01", stop: str | None = None, **values: Any) -> Working:
    given: dict[str, Any] = {"mic": "XNYS", "at_venue": True, "order_qty": Decimal(101)}
    return Working(
        side=side, price=Decimal(price) if price else None, stop_px=Decimal(stop) if stop else None, **(given | values)
    )


def planned(one: Working, terms: ActionTerms, *, lot: str = "1", divisor: int = 1) -> Planned:
    return plan(one, terms, ticks=TICKS, lot=Decimal(lot), divisor=divisor)


@pytest.mark.parametrize(
    ("mic", "kind", "treatment"),
    [
        ("XNYS", "split", "venue"),
        ("XNYS", "reverse_split", "cancel"),
        ("XNAS", "cash_dividend", "venue"),
        ("XNAS", "name_change", "cancel"),
        ("XLON", "split", "cancel"),
        ("XLON", "reverse_split", "cancel"),
        ("XLON", "cash_dividend", "keep"),
        ("XLON", "name_change", "cancel"),
    ],
)
def test_the_market_says_what_becomes_of_a_buy_limit(mic: str, kind: str, treatment: str) -> None:
    terms = action(kind, *(("1", "10") if kind == "reverse_split" else ()))
    assert planned(order(mic=mic), terms).treatment == treatment


@pytest.mark.parametrize(
    ("side", "price", "stop", "amount", "after"),
    [
        (BUY, "50.01", None, "0.255", ("49.75", None)),  # 49.755 down to the tick
        (SELL, "50.01", None, "0.255", ("50.01", None)),  # a sell limit is not reduced
        (SELL, None, "50.01", "0.255", (None, "49.75")),
        (SELL, "50.00", "50.01", "0.255", ("50.00", "49.75")),
        (BUY, None, "50.01", "0.255", (None, "50.01")),  # a buy stop is not
        (BUY, "100.1", None, "0.05", ("100.0", None)),
        (BUY, "50.01", None, "0.01", ("50.00", None)),  # one cent is at the mark
        (BUY, "50.01", None, "0.0099", ("50.01", None)),  # below it nothing is adjusted
        (BUY, "0.20", None, "0.255", ("0.20", None)),  # nothing would be left of the price
    ],
)
def test_dividends_reduce_buy_limits_and_sell_stops(
    side: str, price: str | None, stop: str | None, amount: str, after: tuple[str | None, str | None]
) -> None:
    found = planned(order(side, price, stop), action("cash_dividend", amount=amount))
    wanted = [Decimal(text) if text else None for text in after]
    assert [found.adjusted.price, found.adjusted.stop_px] == wanted
    changed = (price, stop) != after
    assert found.treatment is (Treatment.VENUE if changed else Treatment.KEEP)


def test_a_split_changes_price_and_size_in_the_clients_favour() -> None:
    terms = action("split", "3", "2")
    assert planned(order(BUY, "50.02"), terms).adjusted == Adjusted(Decimal(151), Decimal("33.34"), None)
    assert planned(order(SELL, "50.02"), terms).adjusted == Adjusted(Decimal(151), Decimal("33.35"), None)
    assert planned(order(SELL, None, "50.02"), terms).adjusted.stop_px == Decimal("33.34")
    assert planned(order(BUY, "50.02"), terms, lot="100").adjusted.order_qty == Decimal(100)


def test_pence_are_not_pounds() -> None:
    found = planned(order(BUY, "72.50"), action("cash_dividend", amount="0.05"), divisor=100)
    assert found.adjusted.price == Decimal("67.50")


def test_what_no_venue_has_yet_is_canceled_by_us() -> None:
    assert planned(order(at_venue=False), action("split")).treatment is Treatment.CANCEL


def test_a_new_isin_alone_leaves_orders_alone_and_an_undo_cancels_what_it_left() -> None:
    isin = ActionTerms(ActionKind.NAME_CHANGE, EX, new_isin="GB00BH4HKS39")
    assert planned(order(), isin).treatment is Treatment.KEEP
    assert undone(order(), action("split")).treatment is Treatment.CANCEL
    assert undone(order(), action("cash_dividend")).treatment is Treatment.KEEP


def test_a_restatement_has_come_only_when_it_is_exact() -> None:
    wanted = planned(order(BUY, "50.02"), action("split")).adjusted
    assert wanted == Adjusted(Decimal(202), Decimal("25.01"), None)
    assert has_come_to(order(BUY, "25.01", order_qty=Decimal(202)), wanted)
    assert not has_come_to(order(BUY, "25.01", order_qty=Decimal(101)), wanted)
    assert not has_come_to(order(BUY, "50.02", order_qty=Decimal(202)), wanted)
