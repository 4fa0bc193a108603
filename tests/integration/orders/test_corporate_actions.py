"""Corporate actions through the house: entered, approved, carried out on the ex date, and taken back, to the last unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from accounts.as_at import get_money_as_at
from accounts.domain.average_cost import Kind
from accounts.models import ActionEntry, Booking, CashBalance, Holding, TradingAccount
from accounts.services.book_executions import book_executions
from journal.models import Event
from kernel.errors import Conflict
from kernel.fix import Side
from kernel.ids import new_id
from operations.fsck.prove import failing, prove
from operations.fsck.registry import BY_CODE
from operations.fsck.snapshot import snapshot_of_transaction
from operations.services.compare_replay import compare_replay
from orders.domain.action_orders import CONVENTIONS
from orders.models import ActionOrder, Order
from orders.selectors.actions import preview_action
from orders.selectors.costs import list_cost_steps
from orders.services.review_corporate_actions import review_corporate_actions
from refdata.as_at import find_listing_called, get_name_on
from refdata.models import CorporateAction, ReferencePrice
from refdata.services.confirm_payment import confirm_payment
from risk.models import Block, Limit
from tests.factories import AT, make_account
from tests.factories.accounts import booking
from tests.factories.actions import EX, EX_MORNING, PAY, announce, approved, clerk, decide, state_of, sweep
from tests.factories.books import book_openings
from tests.factories.trading import Desk

pytestmark = pytest.mark.django_db
PROVED = (
    *("CASH_DIFFERS", "STOCK_DIFFERS", "MONEY_FROM_NOWHERE", "BOOKING_EVENT_DIFFERS", "OVERDRAWN_UNMARKED"),
    *("RESERVATION_DIFFERS", "RESERVED_STOCK_DIFFERS"),
    *("ENTITLEMENT_DIFFERS", "ACTION_ENTRY_DIFFERS", "ACTION_BLOCK_DIFFERS"),
)


@pytest.fixture
def desk() -> Desk:
    """5,000 VOD.L settled, cash of 200,000."""
    return Desk()


def holding(desk: Desk, account: TradingAccount | None = None) -> tuple[Decimal, Decimal, Decimal]:
    row = Holding.objects.get(account=account or desk.world.account, instrument_id=desk.world.listing.instrument_id)
    return row.settled, row.pending, row.short


def cash(account: TradingAccount, currency: str = "GBP") -> tuple[Decimal, Decimal]:
    row = CashBalance.objects.get(account=account, currency=currency)
    return row.settled, row.pending


def trade(account: TradingAccount, desk: Desk, qty: str, side: Side = Side.BUY) -> None:
    """A trade of before the ex date that has not settled, as a booking of its own."""
    book_executions(
        bookings=[
            booking(
                account.id, qty=qty, cash="0", side=side, instrument_id=desk.world.listing.instrument_id,
                execution_id=None, order_id=None, kind="suspense",
            )
        ],
        at=AT,
    )  # fmt: skip


def prove_books(codes: Sequence[str] = PROVED) -> None:
    """Books, replay and entitlements agree."""
    found = failing(prove(snapshot_of_transaction(at=AT), [BY_CODE[code] for code in codes]))
    assert {one.check.code: one.examples for one in found} == {}


def replayed() -> list[str]:
    """What differs from the journal; accounts that a factory made out of nothing have no events and are left out."""
    return [str(one) for one in compare_replay().differences if one.field != "events"]


def test_a_split_doubles_shares_keeps_money_and_halves_prices(desk: Desk) -> None:
    account = desk.world.account
    before = cash(account)
    action_id = approved("split")
    sweep()

    assert (state_of(action_id), holding(desk)) == ("applied", (Decimal(10_000), Decimal(0), Decimal(0)))
    assert cash(account) == before
    price = ReferencePrice.objects.get(listing=desk.world.listing)
    assert (price.last, price.previous_close) == (Decimal("36.25"), Decimal("35.50"))
    line = Booking.objects.get(kind="split")
    assert (line.amount, line.layer, line.trade_date, line.settlement_date) == (Decimal(5000), "settled", EX, EX)
    assert ActionEntry.objects.get().long_before == Decimal(5000)
    earlier = get_money_as_at(account_id=account.id, at=EX_MORNING - timedelta(seconds=1))
    assert earlier.stock[desk.world.listing.instrument_id].settled == Decimal(5000)
    assert replayed() == []
    prove_books()


def test_nothing_happens_before_the_ex_date_or_without_a_second_person(desk: Desk) -> None:
    waiting, due = announce("split", reference="A"), approved("split", reference="B", ratio_new="3")
    sweep(EX_MORNING - timedelta(days=1))
    assert (state_of(due), holding(desk)[0]) == ("approved", Decimal(5000))
    sweep()
    assert (state_of(waiting), state_of(due), holding(desk)[0]) == ("announced", "applied", Decimal(15_000))
    review_corporate_actions(at=EX_MORNING)
    told = Event.objects.filter(kind="AnomalyRaised", payload__kind="CORPORATE_ACTION_LATE")
    assert [event.payload["subject_id"] for event in told] == [str(waiting)]


def test_a_declined_request_leads_back_and_a_correction_asks_anew(desk: Desk) -> None:
    from refdata.services.correct_action import correct_action
    from tests.factories.actions import terms_for

    action_id = announce("split")
    assert decide(action_id, verdict="decline").outcome == "declined"
    assert state_of(action_id) == "announced"
    decide(action_id)
    assert state_of(action_id) == "approved"
    assert correct_action(
        actor=clerk(), at=AT, action_id=action_id, terms=terms_for("split", ratio_new="3"), reason="agent's second message"
    ) == 2  # fmt: skip
    sweep()
    assert (state_of(action_id), holding(desk)[0]) == ("announced", Decimal(5000))


def test_fractions_layers_and_shorts_of_three_for_two(desk: Desk) -> None:
    world = desk.world
    odd, short = make_account("ODD", group=world.group), make_account("SHORT", group=world.group)
    Holding.objects.create(account=odd, instrument_id=world.listing.instrument_id, settled=75)
    book_openings()
    trade(odd, desk, "50")
    trade(short, desk, "-5", Side.SELL_SHORT)
    approved("split", ratio_new="3", ratio_old="2", fraction_px="10.01")
    sweep()

    assert holding(desk, odd) == (Decimal(112), Decimal(75), Decimal(0))  # 187 of 187.5
    assert cash(odd) == (Decimal(100_000), Decimal("5.00"))  # 0.5 × 10.01 = 5.005, to the even penny
    assert holding(desk, short) == (Decimal(0), Decimal(0), Decimal(7))
    assert cash(short) == (Decimal(100_000), Decimal("-5.00"))
    prove_books([code for code in PROVED if not code.startswith(("BOOKING", "SUSPENSE"))])


def test_a_dividend_is_owed_on_the_ex_date_and_settled_when_it_is_confirmed(desk: Desk) -> None:
    world = desk.world
    short = make_account("SHORT", group=world.group)
    book_openings()
    trade(world.account, desk, "100")
    trade(short, desk, "-300", Side.SELL_SHORT)
    before = cash(world.account)
    action_id = approved("cash_dividend")
    sweep()

    assert state_of(action_id) == "ex_applied"
    assert cash(world.account) == (before[0], before[1] + Decimal("255.00"))  # 5,100 × 0.05, the unsettled 100 included
    assert cash(short) == (Decimal(100_000), Decimal("-15.00"))
    assert {row.settlement_date for row in Booking.objects.filter(kind="dividend")} == {PAY}
    with pytest.raises(Conflict) as early:
        confirm_payment(actor=clerk(), at=EX_MORNING, action_id=action_id, today=EX, statement="MT566")
    assert early.value.code == "PAYMENT_NOT_DUE"
    review_corporate_actions(at=EX_MORNING + timedelta(days=20))
    assert Event.objects.filter(kind="AnomalyRaised", payload__kind="CORPORATE_ACTION_PAYMENT_DUE").count() == 1

    confirm_payment(actor=clerk(), at=EX_MORNING, action_id=action_id, today=PAY, statement="MT566")
    sweep()
    assert state_of(action_id) == "applied"
    assert cash(world.account) == (before[0] + Decimal("255.00"), before[1])
    assert cash(short) == (Decimal(100_000) - Decimal("15.00"), Decimal(0))
    prove_books(["CASH_DIFFERS", "ENTITLEMENT_DIFFERS", "ACTION_ENTRY_DIFFERS"])


def test_two_actions_of_one_day_in_two_currencies(desk: Desk) -> None:
    approved("cash_dividend", reference="GBP")
    approved("cash_dividend", reference="USD", amount="0.0125", currency="USD")
    approved("split", reference="2:1")
    sweep()
    assert cash(desk.world.account)[1] == Decimal("250.00")  # of the 5,000 before the split, as the dollars are
    assert cash(desk.world.account, "USD") == (Decimal(0), Decimal("62.50"))
    assert holding(desk)[0] == Decimal(10_000)
    prove_books()


def test_a_reverse_split_cancels_orders_and_waits_for_the_venue(desk: Desk) -> None:
    working, unsent = desk.buy(side=Side.SELL, price=Decimal("73.00")), None
    desk.send(at=AT)
    desk.say(working, "0", "0", t38=1000, t14=0, t151=1000)
    unsent = desk.buy()
    action_id = approved("reverse_split")
    at = sweep()

    unsent.refresh_from_db()
    assert (unsent.is_open, state_of(action_id), holding(desk)[0]) == (False, "applying", Decimal(5000))
    assert Block.objects.filter(source=f"corporate_action:{action_id}", lifted_at__isnull=True).count() == 1
    sent = working.requests.get(kind="cancel")
    assert (sent.state, sent.maker) == ("released", "process:corporate-actions")
    late = desk.buy(outcome="refused")
    assert "BLOCK" in str(late.requests.get().outcome_code)
    sweep(at + timedelta(minutes=10), turns=1)
    told = Event.objects.get(kind="AnomalyRaised", payload__kind="CORPORATE_ACTION_WAITING")
    assert working.ref in told.payload["sentence"]

    desk.send(at=AT + timedelta(seconds=30))
    working.refresh_from_db()
    desk.say(working, "4", "4", cl_ord_id=sent.cl_ord_id, t41=working.cl_ord_id, t38=1000, t14=0, t151=0)
    sweep(at + timedelta(minutes=11))
    assert (state_of(action_id), holding(desk)[0]) == ("applied", Decimal(500))
    assert not Block.objects.filter(source=f"corporate_action:{action_id}", lifted_at__isnull=True).exists()
    assert Event.objects.filter(kind="AnomalyCleared", payload__kind="CORPORATE_ACTION_WAITING").count() == 1
    assert {row.treatment for row in ActionOrder.objects.all()} == {"cancel"}
    kept = ActionOrder.objects.get(order=working)
    assert (kept.before["price"], kept.after["price"], kept.after["order_qty"]) == ("73", "730", "100")
    desk.buy(price=Decimal("725"), order_qty=Decimal(10))
    prove_books()


@pytest.mark.parametrize("restated", [True, False])
def test_an_order_that_its_venue_changes_has_ten_minutes_and_is_canceled_then(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, restated: bool
) -> None:
    monkeypatch.setitem(CONVENTIONS, "XLON", CONVENTIONS["XNYS"])
    working = desk.buy()
    desk.send(at=AT)
    desk.say(working, "0", "0", t38=1000, t14=0, t151=1000)
    action_id = approved("split")
    at = sweep()
    row = ActionOrder.objects.get()
    assert (row.treatment, row.after) == ("venue", {"order_qty": "2000", "price": "36.25", "stop_px": None})
    assert (state_of(action_id), holding(desk)[0]) == ("applying", Decimal(10_000))  # accounts need not wait for it
    working.refresh_from_db()
    assert (working.price, working.requests.count()) == (Decimal("72.50"), 1)  # never changed in our books alone

    if restated:
        desk.say(working, "D", "0", t38=2000, t44="36.25", t14=0, t151=2000)
        sweep(at)
        assert (state_of(action_id), working.requests.filter(kind="cancel").count()) == ("applied", 0)
        return
    sweep(at + timedelta(minutes=9), turns=1)
    assert working.requests.filter(kind="cancel").count() == 0
    sweep(at + timedelta(minutes=10), turns=1)
    assert working.requests.filter(kind="cancel").count() == 1
    assert state_of(action_id) == "applying"


def test_a_dividend_elsewhere_leaves_orders_alone(desk: Desk) -> None:
    working = desk.buy()
    approved("cash_dividend")
    sweep()
    working.refresh_from_db()
    assert (working.is_open, working.price) == (True, Decimal("72.50"))


def test_a_new_symbol_is_found_by_its_old_name_too(desk: Desk) -> None:
    working = desk.buy()
    action_id = approved("name_change")
    sweep()
    listing = desk.world.listing
    listing.refresh_from_db()
    working.refresh_from_db()
    assert (listing.symbol, listing.venue_symbol, state_of(action_id)) == ("VODX.L", "VODX", "applied")
    assert (working.is_open, working.instrument_snapshot["symbol"]) == (False, "VOD.L")
    assert find_listing_called("vod.l", day=EX) == find_listing_called("VODX.L", day=EX) == listing.id
    assert get_name_on(listing.id, EX - timedelta(days=1)).symbol == "VOD.L"
    assert get_name_on(listing.id, EX).symbol == "VODX.L"
    again = desk.buy(symbol="VOD.L")
    assert (again.listing_id, again.instrument_snapshot["symbol"]) == (listing.id, "VODX.L")

    decide(action_id, "undo", at=EX_MORNING + timedelta(hours=1))
    sweep(EX_MORNING + timedelta(hours=1))
    listing.refresh_from_db()
    assert (listing.symbol, state_of(action_id)) == ("VOD.L", "undone")
    assert find_listing_called("VODX.L", day=EX + timedelta(days=30)) == listing.id


def undo(action_id: UUID) -> None:
    later = EX_MORNING + timedelta(hours=2)
    assert decide(action_id, "undo", at=later).outcome == "applied"
    sweep(later)


def test_an_undo_gives_back_every_unit(desk: Desk) -> None:
    world = desk.world
    before = (holding(desk), cash(world.account), ReferencePrice.objects.get(listing=world.listing).last)
    split, paid = (
        approved("split", ratio_new="3", ratio_old="2", reference="S"),
        approved("cash_dividend", reference="D"),
    )
    at = sweep()
    confirm_payment(actor=clerk(), at=at, action_id=paid, today=PAY, statement="MT566")
    sweep(at)
    assert cash(world.account)[0] == before[1][0] + Decimal(250)
    undo(paid)
    undo(split)
    assert (holding(desk), cash(world.account), ReferencePrice.objects.get(listing=world.listing).last) == before
    assert (state_of(paid), state_of(split)) == ("undone", "undone")
    assert replayed() == []
    prove_books()


def test_an_undo_after_a_sale_names_exactly_what_is_missing(desk: Desk) -> None:
    world = desk.world
    action_id = approved("split")
    sweep()
    sold = booking(world.account.id, qty="-7000", cash="2537.50", side=Side.SELL, instrument_id=world.listing.instrument_id,
                   order_id=None, execution_id=None, kind="suspense", trade_date=EX)  # fmt: skip
    book_executions(bookings=[sold], at=EX_MORNING)
    undo(action_id)
    assert (state_of(action_id), holding(desk)[:2]) == ("undoing", (Decimal(10_000), Decimal(-7000)))
    told = Event.objects.get(kind="AnomalyRaised", payload__kind="CORPORATE_ACTION_NOT_REVERSED")
    assert told.payload["evidence"]["missing"] == "2000 shares"
    assert not Block.objects.filter(source=f"corporate_action:{action_id}", lifted_at__isnull=True).exists()

    book_executions(
        bookings=[replace(sold, event_id=new_id(), qty_delta=Decimal(2000), cash_delta=Decimal(-725))], at=AT
    )
    sweep(EX_MORNING + timedelta(hours=3))
    assert (state_of(action_id), holding(desk)[:2]) == ("undone", (Decimal(5000), Decimal(-5000)))
    assert Event.objects.filter(kind="AnomalyCleared", payload__kind="CORPORATE_ACTION_NOT_REVERSED").count() == 1


def test_a_bust_after_the_split_takes_its_share_of_it_back(desk: Desk) -> None:
    order = desk.buy()
    desk.send(at=AT)
    desk.say(order, "F", "1", exec_id="T1", t38=1000, t32=300, t31="72.5", t14=300, t151=700)
    action_id = approved("split")
    at = sweep()
    order.refresh_from_db()
    sent = order.requests.get(kind="cancel")
    desk.send(at=AT + timedelta(seconds=30))
    desk.say(order, "4", "4", cl_ord_id=sent.cl_ord_id, t41=order.cl_ord_id, t38=1000, t14=300, t151=0)
    at = sweep(at)
    assert (state_of(action_id), holding(desk)[:2]) == ("applied", (Decimal(10_000), Decimal(600)))
    steps = list_cost_steps(account_id=order.account_id, instrument_id=desk.world.listing.instrument_id)
    assert (steps[-1].movement.kind, steps[-1].movement.qty) == (Kind.RESHAPED, Decimal(5300))

    desk.say(
        Order.objects.get(id=order.id), "H", "4", exec_id="T2", t19="T1", t38=1000, t32=300, t31="72.5", t14=0, t151=0
    )
    assert holding(desk)[:2] == (Decimal(10_000), Decimal(300))
    assert review_corporate_actions(at=at) == 1
    assert holding(desk)[:2] == (Decimal(10_000), Decimal(0))
    assert [(row.round, row.units) for row in ActionEntry.objects.order_by("id")] == [
        (1, Decimal(5300)),
        (2, Decimal(-300)),
    ]
    assert [review_corporate_actions(at=at) for _ in range(2)] == [0, 0]
    assert replayed() == []
    prove_books()


def test_limits_in_old_shares_are_told_until_they_are_changed(desk: Desk) -> None:
    mark = {
        "scope": "instrument",
        "scope_id": str(desk.world.listing.instrument_id),
        "kind": "order_qty",
        "owner": "risk",
    }
    old = Limit.objects.create(hard=Decimal(900), **mark)
    action_id = announce("split")
    assert "900 is 1800 new" in " ".join(preview_action(clerk(), action_id, at=AT).obstacles)
    decide(action_id)
    at = sweep()
    review_corporate_actions(at=at)
    raised = Event.objects.filter(kind="AnomalyRaised", payload__kind="CORPORATE_ACTION_OLD_MARKS")
    assert "900 is 1800 new" in raised.get().payload["sentence"]
    Limit.objects.filter(id=old.id).update(effective_until=at)
    Limit.objects.create(hard=Decimal(1800), effective_from=at, **mark)
    review_corporate_actions(at=at + timedelta(seconds=30))
    assert Event.objects.filter(kind="AnomalyCleared", payload__kind="CORPORATE_ACTION_OLD_MARKS").count() == 1


def test_a_failing_action_keeps_no_other_from_being_carried_out(desk: Desk) -> None:
    from tests.factories import make_listing

    make_listing("VODX.L", venue_symbol="VODX")
    stuck, fine = approved("name_change"), approved("cash_dividend")
    sweep(turns=1)
    for seconds in (10, 20):
        with pytest.raises(Conflict, match="NAME_TAKEN"):
            sweep(EX_MORNING + timedelta(seconds=seconds), turns=1)
    assert (state_of(stuck), state_of(fine)) == ("applying", "ex_applied")
    assert Event.objects.filter(kind="AnomalyRaised", payload__kind="CORPORATE_ACTION_FAILING").count() == 1
    assert CorporateAction.objects.get(id=stuck).changes == {}
