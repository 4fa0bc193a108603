"""Positions and cash on a busy day: every figure is the sum of its parts, now and then, and cost follows busts exactly."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal as D
from uuid import UUID

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client

from accounts.domain.average_cost import COST_UNKNOWN
from accounts.models import Booking, Locate
from accounts.services.deposit import Deposit, deposit
from authorisation.domain.principal import process_principal
from authorisation.models import AuthorisationRequest
from kernel.errors import Invalid, NotFound
from kernel.fix import ExecType, OrdStatus, Side
from operations.selectors.derivation import FIGURES, get_derivation
from operations.selectors.positions import StockLine, get_positions
from orders.models import Order
from orders.selectors.costs import list_cost_steps, list_costs
from tests.factories import AT, make_desk, make_principal
from tests.factories.busy_day import LATER, Day, busy_day, told_desk
from tests.integration.operations.test_pages import client_of
from tests.integration.orders.test_api import TOKEN, issue_token

pytestmark = pytest.mark.django_db
NIGHT = LATER + timedelta(hours=9)


def line_of(day: Day, **how: object) -> StockLine:
    found = get_positions(actor=day.world.dealer, code=day.world.account.code, now=NIGHT, **how)  # type: ignore[arg-type]
    return next(one for one in found.stock if one.symbol == day.world.listing.symbol)


def test_every_figure_is_the_sum_of_its_parts_now_and_then() -> None:
    day = busy_day()
    code, actor = day.world.account.code, day.world.dealer
    seen = 0
    for at in (None, NIGHT, LATER + timedelta(seconds=6), AT):
        positions = get_positions(actor=actor, code=code, now=NIGHT, at=at)
        assert bool(positions.how) == (at is not None)
        balances = [(view.currency, view.unsettled) for view in positions.cash]
        balances += [(str(line.view.instrument_id), line.view.unsettled) for line in positions.stock]
        for what, unsettled in balances:
            for figure in (one.name for one in FIGURES.values() if one.of_cash in (None, len(what) == 3)):
                found = get_derivation(actor=actor, code=code, what=what, name=figure, now=NIGHT, at=at)
                assert found.proved, (at, what, figure, found.total, found.shown)
                seen += bool(found.bookings and found.bookings.lines) + bool(found.holds) + bool(found.orders)
                assert found.bookings is None or all(row.event_id in found.events for row in found.bookings.lines)
                if at is None and what == "GBP" and figure == "reserved":
                    others = {hold.order_id for hold in found.holds} - found.refs.keys()
                    assert [item.kind for item in AuthorisationRequest.objects.filter(id__in=others)] == ["withdrawal"]
                    assert len(others) == 1
            for item in unsettled:
                settles = item.settlement_date
                one = get_derivation(
                    actor=actor, code=code, what=what, name="pending", now=NIGHT, at=at, settles=settles
                )
                assert one.proved
                assert one.shown == item.amount
    assert seen > 40
    now = get_positions(actor=actor, code=code, now=NIGHT)
    then = get_positions(actor=actor, code=code, now=NIGHT, at=NIGHT)
    assert (now.cash, [line.view for line in now.stock]) == (then.cash, [line.view for line in then.stock])
    assert [(line.working, line.cost) for line in now.stock] == [(line.working, line.cost) for line in then.stock]


def test_a_lost_booking_is_not_called_proved() -> None:
    day = Day(told_desk())
    day.says(day.trade(day.send("bought"), 400, "72.50"))
    lost = Booking.objects.filter(currency="GBP", kind="trade").values_list("event_id", flat=True)[0]
    deposit(
        actor=process_principal("test"), at=LATER, business_date=AT.date(),
        deposits=[Deposit(day.world.account.id, D(5), currency="GBP")],
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM accounts_booking WHERE event_id = %s AND currency = 'GBP'", [lost])
        cursor.execute("SET session_replication_role = DEFAULT")
    ask = {"actor": day.world.dealer, "code": day.world.account.code, "what": "GBP", "now": NIGHT}
    assert not get_derivation(name="traded", **ask).proved  # type: ignore[arg-type]
    assert get_derivation(name="settled", **ask).proved  # type: ignore[arg-type]
    page = client_of(day.world.dealer).get(f"/positions/{day.world.account.code}/GBP/traded").content.decode()
    assert "the books do not add up" in page


def costed() -> Day:
    """A day that begins with one unit of unknown cost and 19,999 that cost 10,000.00 in all."""
    day = Day(told_desk(stock="1"))
    account, instrument = day.world.account.id, day.world.listing.instrument_id
    deposit(
        actor=process_principal("test"), at=AT, business_date=AT.date(),
        deposits=[Deposit(account, D(19_999), instrument_id=instrument, cost=D(10_000), cost_currency="GBP")],
    )  # fmt: skip
    return day


def test_unknown_cost_is_told_and_known_cost_averages() -> None:
    day = costed()
    line = line_of(day)
    assert (line.cost_px, line.why, line.view.net) == (None, "Units were brought in without a cost.", D(20_000))
    assert line.cost is not None
    assert (line.cost.why, line.unrealised, line.realised) == (COST_UNKNOWN, None, ())
    steps = list_cost_steps(account_id=day.world.account.id, instrument_id=day.world.listing.instrument_id)
    assert [(step.movement.qty, step.movement.cash) for step in steps] == [(D(1), None), (D(19_999), D(-10_000))]


def test_a_correction_and_a_bust_re_derive_the_cost_as_if_never_traded() -> None:
    day = Day(told_desk(stock="1", charged=False))
    account, instrument = day.world.account.id, day.world.listing.instrument_id
    deposit(
        actor=process_principal("test"), at=AT, business_date=AT.date(),
        deposits=[Deposit(account, D(1), instrument_id=instrument)],
    )  # fmt: skip
    sale = day.send("all sold", side=Side.SELL, order_qty=D(2))
    day.says(day.trade(sale, 2, "72.50"))  # flat: from here on everything is known
    buy = day.send("bought", order_qty=D(1000))
    first, second = day.trade(buy, 400, "72.40"), day.trade(buy, 600, "72.60")
    day.says(second, first)
    before = list_costs(account_id=account)[instrument]
    assert (before.qty, before.value, before.average) == (D(1000), D("725.20"), D("0.7252"))
    out = day.send("sold", side=Side.SELL, order_qty=D(500))
    day.says(gone := day.trade(out, 250, "80.00"))
    sold = list_costs(account_id=account)[instrument]
    assert (sold.qty, sold.value, sold.realised["GBP"]) == (D(750), D("543.90"), D("200.00") - D("181.30"))
    day.says(day.report(out, ExecType.TRADE_CANCEL, OrdStatus.NEW, exec_ref_id=gone.exec_id))
    assert list_costs(account_id=account)[instrument] == before
    day.says(day.trade(buy, 400, "72.00", exec_type=ExecType.TRADE_CORRECT, exec_ref_id=first.exec_id))
    corrected = list_costs(account_id=account)[instrument]
    assert (corrected.qty, corrected.value) == (D(1000), D("723.60"))
    day.says(day.report(buy, ExecType.TRADE_CANCEL, OrdStatus.NEW, exec_ref_id=second.exec_id))
    assert list_costs(account_id=account)[instrument].value == D("288.00")
    assert line_of(day).cost_px == D("72.00")


def test_cost_stands_in_the_order_of_the_venue_not_of_arrival() -> None:
    day = Day(told_desk(stock="1"))
    account, instrument = day.world.account.id, day.world.listing.instrument_id
    buy, sale = day.send("buy"), day.send("sale", side=Side.SELL, order_qty=D(1))
    late = day.trade(buy, 100, "70.00", event_at=LATER)
    day.says(day.trade(sale, 1, "90.00", event_at=LATER + timedelta(minutes=1)))
    day.says(late)
    steps = list_cost_steps(account_id=account, instrument_id=instrument)
    assert [step.movement.qty for step in steps] == [1, 100, -1]


def test_all_money_of_trades_is_realised_or_in_the_position() -> None:
    day = busy_day()
    rows = Booking.objects.filter(account_id=day.world.account.id, order_id__isnull=False, currency="GBP")
    cash = sum((row.amount for row in rows), D(0))
    steps = list_cost_steps(account_id=day.world.account.id, instrument_id=day.world.listing.instrument_id)
    assert sum((step.movement.cash or D(0) for step in steps if step.order_id), D(0)) == cash
    assert steps[-1].after.qty == line_of(day).view.net


def test_what_was_not_granted_has_no_page() -> None:
    day = Day(told_desk())
    stranger = make_principal("stranger", role="dealer", rights=(), desks=(day.world.desk,), groups=(), trades=False)
    code = day.world.account.code
    for address in (f"/positions/{code}", f"/positions/{code}/GBP/traded", f"/positions/{code}/positions.csv"):
        assert client_of(day.world.dealer).get(address).status_code == 200
        assert client_of(stranger).get(address).status_code == 404
    listed = client_of(stranger).get("/positions").content.decode()
    assert code not in listed
    assert "You were granted no account." in listed
    with pytest.raises(NotFound, match="no such figure"):
        get_derivation(actor=day.world.dealer, code=code, what="GBP", name="working", now=NIGHT)
    with pytest.raises(NotFound, match="no such figure"):
        get_derivation(actor=day.world.dealer, code=code, what="ZZZ", name="traded", now=NIGHT)
    with pytest.raises(NotFound, match="no such figure"):
        get_derivation(actor=day.world.dealer, code=code, what="GBP", name="no", now=NIGHT)


def test_pages_filter_and_export() -> None:
    day = busy_day()
    client, code = client_of(day.world.dealer), day.world.account.code
    assert code in client.get("/positions", {"symbol": "vod.l"}).content.decode()
    assert "No listing is called" in client.get("/positions", {"symbol": "NOPE"}).content.decode()
    assert "matches" in client.get("/positions", {"q": "zzz", "part": "1"}).content.decode()
    shown = client.get(f"/positions/{code}").content.decode()
    assert "Withdrawable" in shown
    debts = client.get(f"/positions/{code}/GBP/withdrawable").content.decode()
    assert "The parts below add up to it." in debts
    instrument = day.world.listing.instrument_id
    orders = client.get(f"/positions/{code}/{instrument}/working").content.decode()
    assert "The parts below add up to it." in orders
    assert Order.objects.get(id=day.orders["waiting"]).ref in orders
    assert "due, not settled" in shown  # the trades of the factory settled long before the clock of now
    then = client.get(f"/positions/{code}", {"at": "2026-11-20T09:30:06"}).content.decode()
    assert "Rebuilt from the bookings recorded until then" in then
    assert client.get(f"/positions/{code}", {"at": "yesterday"}).status_code == 400
    rows = list(csv.DictReader(io.StringIO(client.get(f"/positions/{code}/positions.csv").content.decode())))
    assert [(row["symbol"], row["price_unit"]) for row in rows] == [("VOD.L", "GBX")]
    assert D(rows[0]["position"]) == line_of(day).view.net


def test_the_api_says_the_same() -> None:
    day = busy_day()
    issue_token(day.world.dealer.user_id)
    headers, code = {"Authorization": f"Bearer {TOKEN}"}, day.world.account.code
    cash = Client().get(f"/api/v1/accounts/{code}/cash", headers=headers).json()
    gbp = next(row for row in cash["cash"] if row["currency"] == "GBP")
    assert D(gbp["settled"]) + sum(D(item["amount"]) for item in gbp["unsettled"]) - D(gbp["reserved"]) == D(
        gbp["to_trade"]
    )
    assert cash["definitions"].keys() == {"to_trade", "withdrawable"}
    held = Client().get(f"/api/v1/accounts/{code}/positions", headers=headers).json()
    line = line_of(day)
    assert [(row["symbol"], D(row["position"])) for row in held["positions"]] == [("VOD.L", line.view.net)]
    assert held["positions"][0]["cost_missing_because"] == "Units were brought in without a cost."
    for query, status in (("?at=2026-11-20T09:30:06%2B00:00", 200), ("?at=2026-11-20", 400), ("?when=now", 400)):
        assert Client().get(f"/api/v1/accounts/{code}/cash{query}", headers=headers).status_code == status
    assert Client().get("/api/v1/accounts/NOPE/cash", headers=headers).status_code == 404


def test_a_cost_without_units_is_refused() -> None:
    world = make_desk("EQ9")
    for wrong in (
        Deposit(world.account.id, D(5), currency="GBP", cost=D(1), cost_currency="GBP"),
        Deposit(world.account.id, D(5), instrument_id=UUID(int=1), cost=D(-1), cost_currency="GBP"),
        Deposit(world.account.id, D(5), instrument_id=UUID(int=1), cost=D(1)),
        Deposit(world.account.id, D(5), instrument_id=UUID(int=1), cost_currency="GBP"),
    ):
        with pytest.raises(Invalid) as refused:
            deposit(actor=process_principal("test"), at=AT, business_date=AT.date(), deposits=[wrong])
        assert refused.value.code == "DEPOSIT_INVALID"
    assert not Booking.objects.exists()


def test_operations_records_a_locate_and_the_page_shows_who_uses_it() -> None:
    day = busy_day()
    code = day.world.account.code
    keeper = make_principal(
        "keeper", role="operations", rights=(), desks=(day.world.desk,), groups=(day.world.group,), trades=False
    )
    right = Permission.objects.get(codename="ask_static_data")
    Group.objects.get(name="operations").permissions.add(right)
    form = {"ref": "L7", "symbol": "vod.l", "qty": "2k", "lender": "Prime", "expires_at": "2099-12-31T18:00"}
    assert client_of(day.world.dealer).post(f"/positions/{code}/locates", form).status_code == 403
    assert client_of(keeper).post(f"/positions/{code}/locates", form).status_code == 302
    shown = client_of(day.world.dealer).get(f"/positions/{code}").content.decode()
    for text in ("L7", "2,000", "overused", "Operations records locates.", "Prime broker"):
        assert text in shown
    for wrong in ({"symbol": "NOPE"}, {"qty": "many"}, {"expires_at": ""}, {"qty": "3k"}):
        assert client_of(keeper).post(f"/positions/{code}/locates", form | wrong).status_code in (400, 409)
    assert Locate.objects.filter(ref="L7").count() == 1
