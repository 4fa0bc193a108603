"""Fees along the life of an order: held at capture, booked by difference, taken back by busts; and what nobody covers."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal as D

import pytest
from django.db.models import Sum

from accounts.domain.fee_rows import FEE_COLUMNS
from accounts.models import Booking, CashBalance, Reservation, TradingAccount
from accounts.selectors.fees import FEE_SCHEDULES
from accounts.services.load_fee_schedules import load_fee_schedules
from accounts.services.replay_accounts import replay_accounts
from authorisation.domain.principal import process_principal
from journal.models import Event
from kernel.fix import ExecType, OrdStatus, OrdType, Side, TimeInForce
from orders.domain.report import Report
from orders.domain.results import CaptureResult
from orders.models import Order
from orders.services.capture_orders import capture_orders
from orders.services.preview_order import preview_order
from orders.services.replay_orders import replay_orders
from refdata.models import StaticVersion
from risk.domain.answers import Verdict
from tests.factories import AT, give_stock, make_listing, make_market, set_limits, terms
from tests.factories.busy_day import Day, told_desk

pytestmark = pytest.mark.django_db
SDRT_OF_ALL = D("3.63")  # 0.5 % of 725.00 is 3.625


@pytest.fixture
def day() -> Day:
    return Day(told_desk())


def schedule(**cells: str) -> None:
    row = dict.fromkeys(FEE_COLUMNS, "") | {"method": "rates", "rounding": "half_up", "source": "test"} | cells
    assert load_fee_schedules(actor=process_principal("test"), at=AT, rows=[row]).issues == ()


def held(order: CaptureResult) -> D:
    return Reservation.objects.filter(order_id=order.order_id).aggregate(cash=Sum("cash"))["cash"] or D(0)


def cash(day: Day, currency: str = "GBP") -> tuple[D, D]:
    row = CashBalance.objects.get(account=day.world.account, currency=currency)
    return row.pending, row.reserved


def charged(order: CaptureResult) -> list[tuple[str, str, D]]:
    rows = Booking.objects.filter(order_id=order.order_id).exclude(charge="").order_by("id")
    return list(rows.values_list("kind", "charge", "amount"))


def busts(day: Day, order: CaptureResult, trade: Report, **more: object) -> None:
    day.says(day.report(order, ExecType.TRADE_CANCEL, OrdStatus.NEW, exec_ref_id=trade.exec_id, **more))


def corrects(day: Day, order: CaptureResult, trade: Report, qty: int, px: str) -> None:
    day.says(day.trade(order, qty, px, exec_type=ExecType.TRADE_CORRECT, exec_ref_id=trade.exec_id))


def proven(day: Day, *orders: CaptureResult) -> None:
    """The rows are what their events make of them, fees included."""
    done = replay_orders(order_ids=[order.order_id for order in orders])
    assert (done.differences, done.untold) == ([], [])
    shares = done.shares + done.suspended
    assert replay_accounts(account_ids=[day.world.account.id], shares=shares) == []


def test_a_buy_holds_its_fees_and_each_fill_books_the_difference(day: Day) -> None:
    order = day.send("bought", order_qty=D(1000))
    assert held(order) == D("725.00") + D("7.00") + SDRT_OF_ALL
    first = day.trade(order, 500, "72.50")
    day.says(first)
    assert charged(order) == [("commission", "commission", D("-7.00")), ("tax", "uk_sdrt", D("-1.81"))]
    # The rest might trade on another day: it holds a commission of its own.
    assert held(order) == D("362.50") + D("7.00") + D("1.81")
    second = day.trade(order, 500, "72.50")
    day.says(second)
    assert charged(order)[2:] == [("tax", "uk_sdrt", D("-1.82"))]
    assert cash(day) == (-D("725.00") - D("7.00") - SDRT_OF_ALL, D(0))
    event = Event.objects.filter(stream=f"order:{order.order_id}", kind="ExecutionRecorded").order_by("seq")[0]
    assert event.payload["fees"] == [["commission", "commission", 1, "7"], ["tax", "uk_sdrt", 1, "1.81"]]
    assert event.payload["cash_delta"] == "-371.31"
    proven(day, order)


def test_busts_and_corrections_reverse_exactly(day: Day) -> None:
    order = day.send("bought", order_qty=D(1000))
    first, second = day.trade(order, 400, "72.50"), day.trade(order, 600, "72.40")
    day.says(second, first)
    corrects(day, order, first, 400, "72.00")
    busts(day, order, second)
    assert cash(day)[0] == -D("288.00") - D("7.00") - D("1.44")
    busts(day, order, first)
    assert cash(day)[0] == D(0)
    sums = Booking.objects.filter(order_id=order.order_id).values("charge").annotate(total=Sum("amount"))
    assert {row["charge"]: row["total"] for row in sums if row["charge"]} == {"commission": D(0), "uk_sdrt": D(0)}
    proven(day, order)


def test_the_order_of_arrival_does_not_matter_to_what_is_charged(day: Day) -> None:
    told, late = day.send("told", order_qty=D(1000)), day.send("late", order_qty=D(1000))
    for order, reports in ((told, [(300, "72.10"), (700, "72.33")]), (late, [(700, "72.33"), (300, "72.10")])):
        for qty, px in reports:
            day.says(day.trade(order, qty, px))
    totals = [sum(amount for _, _, amount in charged(order)) for order in (told, late)]
    assert totals[0] == totals[1] == -(D("7.00") + D("3.61"))  # 0.5 % of 722.61 is 3.61305


def test_a_sale_holds_stock_alone_and_pays_out_of_its_proceeds(day: Day) -> None:
    order = day.send("sold", side=Side.SELL, order_qty=D(15_000))
    assert (held(order), cash(day)) == (D(0), (D(0), D(0)))
    day.says(day.trade(order, 15_000, "72.50"))
    assert charged(order) == [("commission", "commission", D("-7.00")), ("fee", "ptm_levy", D("-1.50"))]
    assert cash(day)[0] == D("10875.00") - D("8.50")
    proven(day, order)


def test_a_threshold_is_held_against_the_whole_order(day: Day) -> None:
    order = day.send("bought", order_qty=D(15_000))
    assert held(order) == D("10875.00") + D("7.00") + D("1.50") + D("54.38")
    day.says(day.trade(order, 13_000, "72.50"))  # 9,425.00: not yet above 10,000
    assert [name for _, name, _ in charged(order)] == ["commission", "uk_sdrt"]
    assert held(order) == D("1450.00") + D("7.00") + D("1.50") + D("7.25")
    day.says(day.trade(order, 2_000, "72.50"))
    assert [name for _, name, _ in charged(order)] == ["commission", "uk_sdrt", "ptm_levy", "uk_sdrt"]
    proven(day, order)


def test_another_day_pays_its_own_minimum_by_the_rates_of_that_day(day: Day) -> None:
    schedule(
        name="uk_sdrt", version="2", kind="tax", basis="order_day", issuers="GB", asset_class="equity", side="buy",
        effective_from="2026-11-23", bps="100",
    )  # fmt: skip
    order = day.send("bought", order_qty=D(1000), time_in_force=TimeInForce.GTC)
    day.says(day.trade(order, 500, "72.50"))
    monday = date(2026, 11, 23)
    day.says(second := day.trade(order, 500, "72.50", trade_date=monday))
    assert charged(order)[2:] == [("commission", "commission", D("-7.00")), ("tax", "uk_sdrt", D("-3.63"))]
    fees = Order.objects.get(id=order.order_id).fees
    assert fees is not None
    assert (fees["as_of"], fees["current"], sorted(fees["days"])) == ("2026-11-23", 1, ["2026-11-20", "2026-11-23"])
    busts(day, order, second, trade_date=monday + timedelta(days=1))
    assert charged(order)[4:] == [("commission", "commission", D("7.00")), ("tax", "uk_sdrt", D("3.63"))]
    proven(day, order)


def test_a_replace_holds_the_fees_of_the_worse(day: Day) -> None:
    order = day.send("bought", order_qty=D(1000))
    day.replace("bought", "more", order_qty=D(2000))
    assert held(order) == D("1450.00") + D("7.00") + D("7.25")


def test_cash_covers_the_fees_to_the_penny(day: Day) -> None:
    free = {"settled": D("735.62")}
    CashBalance.objects.filter(account=day.world.account, currency="GBP").update(**free)
    refused = day.capture("short of a penny")
    assert (refused.outcome, [one.code for one in refused.checks if one.verdict]) == ("refused", ["BUYING_POWER"])
    assert (held(refused), cash(day)) == (D(0), (D(0), D(0)))
    CashBalance.objects.filter(account=day.world.account, currency="GBP").update(settled=D("735.63"))
    assert day.capture("covered").outcome == "released"
    assert cash(day) == (D(0), D("735.63"))


def test_the_preview_says_it_line_by_line_and_a_batch_counts_it(day: Day) -> None:
    shown = preview_order(actor=day.world.dealer, at=AT, terms=terms(day.world))
    assert [(line.name, line.amount) for line in shown.charges] == [("commission", D("7.00")), ("uk_sdrt", SDRT_OF_ALL)]
    assert shown.fees.amount == D("10.63")
    assert shown.cash_before is not None
    assert shown.cash_after is not None
    assert shown.cash_before.amount - shown.cash_after.amount == D("735.63")
    CashBalance.objects.filter(account=day.world.account, currency="GBP").update(settled=D("1471.25"))
    rows = [(number, terms(day.world)) for number in ("1", "2")]
    done = capture_orders(actor=day.world.dealer, at=AT, idempotency_key="b", route="batch", rows=rows, source="api")
    assert [row.outcome for row in done] == ["released", "refused"]
    assert cash(day) == (D(0), D("735.63"))


def test_a_market_order_holds_the_fees_of_its_collar(day: Day) -> None:
    order = day.send("bought", ord_type=OrdType.MARKET, price=None)
    assert held(order) == D("761.25") + D("7.00") + D("3.81")  # 0.5 % of 761.25 is 3.80625


def test_what_no_schedule_covers_is_refused_and_holds_nothing(day: Day) -> None:
    StaticVersion.objects.filter(name=FEE_SCHEDULES).delete()  # as in a house where nobody has set any
    refused = day.capture("uncovered")
    assert (refused.outcome, [one.code for one in refused.checks if one.verdict]) == ("refused", ["FEES_COVERED"])
    assert (held(refused), cash(day)) == (D(0), (D(0), D(0)))


def test_a_trade_that_nobody_covers_is_booked_charged_nothing_and_told(day: Day) -> None:
    order = day.send("bought", order_qty=D(1000), time_in_force=TimeInForce.GTC)
    day.says(day.trade(order, 500, "72.50", trade_date=date(1999, 12, 31)))
    assert charged(order) == []
    anomaly = Event.objects.get(kind="AnomalyRaised", payload__kind="FEES_UNKNOWN")
    assert anomaly.payload["subject_id"] == str(order.order_id)
    proven(day, order)


def test_an_account_class_may_pay_nothing(day: Day) -> None:
    TradingAccount.objects.filter(id=day.world.account.id).update(account_class="house")
    order = day.send("bought", order_qty=D(1000))
    assert held(order) == D("725.00") + SDRT_OF_ALL
    day.says(day.trade(order, 1000, "72.50"))
    assert charged(order) == [("tax", "uk_sdrt", D("-3.63"))]


def test_only_who_may_opens_a_currency_and_only_by_selling(day: Day) -> None:
    listing = make_listing("MSFT", last="500.00", price_unit="USD", market=make_market("XNAS", "USD"))
    give_stock(day.world.account, listing, "100")
    set_limits("USD")
    sale = {"symbol": "MSFT", "side": Side.SELL, "order_qty": D(10), "price": D("500.00")}

    def refusals(name: str, **changes: object) -> list[str]:
        return [one.code for one in day.capture(name, **(sale | changes)).checks if one.verdict is Verdict.REFUSE]

    assert refusals("no dollars") == ["CURRENCY_HELD"]
    TradingAccount.objects.filter(id=day.world.account.id).update(opens_currencies=True)
    assert refusals("not to buy with", side=Side.BUY) == ["CURRENCY_HELD", "BUYING_POWER"]
    order = day.send("sold", **sale)
    assert not CashBalance.objects.filter(account=day.world.account, currency="USD").exists()
    day.says(day.trade(order, 10, "500.00"))
    assert charged(order) == [("commission", "commission", D("-1.90")), ("fee", "us_finra_taf", D("-0.01"))]
    assert cash(day, "USD") == (D("5000.00") - D("1.91"), D(0))
