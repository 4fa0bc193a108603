"""Shares of a block move between accounts set-based: booked, charged, told, undone to the minor unit, and seen alike by every view."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from accounts.as_at import get_money_as_at
from accounts.domain.allocating import AllocationEvent, AllocationMove
from accounts.domain.fees import Charge
from accounts.locks import lock_allocated
from accounts.models import AllocationPart, Booking, CashBalance, Holding, TradingAccount
from accounts.selectors.books import get_books
from accounts.services.book_allocations import BookedAllocations, book_allocations
from accounts.services.book_executions import book_executions
from journal.domain.chain import EventDraft
from journal.selectors.happenings import list_happenings
from journal.services.advance_projection import take_all
from journal.services.append_to_stream import append_to_stream
from kernel.fix import Side
from kernel.ids import new_id
from kernel.numbers import plain
from operations.domain.picture_state import PictureState
from operations.fsck.money import CHECKS
from operations.services.compare_picture import compare_picture
from operations.services.compare_replay import compare_replay
from orders.selectors.costs import list_costs
from tests.factories.accounts import AT, DAY, SETTLES, VOD, booking, funded_account

pytestmark = pytest.mark.django_db
D = Decimal
DUTY = Charge("tax", "uk_sdrt", 1, D("2.50"))
COMMISSION = Charge("commission", "commission", 1, D("7.00"))


def told(event: AllocationEvent, kind: str) -> None:
    """The event as the room above tells it."""
    lines = [
        {
            "booked_account_id": str(move.account_id), "side": event.side.value, "qty": plain(abs(move.qty)),
            "gross": plain(move.cash), "net": plain(move.cash - move.fees),
        }
        for move in event.moves
    ]  # fmt: skip
    payload: dict[str, Any] = {
        "account_id": str(event.from_account_id), "currency": event.currency,
        "instrument_id": str(event.instrument_id), "lines": lines,
    }  # fmt: skip
    draft = EventDraft(
        event.event_id, "block:1", kind, "process:test", event.event_id, AT, AT, DAY, payload
    )  # fmt: skip
    append_to_stream(drafts=[draft], at=AT)


def book(event: AllocationEvent) -> BookedAllocations:
    with transaction.atomic():
        accounts = {event.from_account_id, *(move.account_id for move in event.moves)}
        lock_allocated(account_ids=accounts, instrument_id=event.instrument_id)
        return book_allocations(events=[event], at=AT)


def event_of(wash: TradingAccount, moves: list[AllocationMove], side: Side = Side.BUY) -> AllocationEvent:
    return AllocationEvent(new_id(), "allocation", wash.id, side, VOD, "GBP", DAY, SETTLES, moves)


def undone(event: AllocationEvent) -> AllocationEvent:
    moves = [
        AllocationMove(
            move.allocation_id, move.account_id, -move.qty, -move.cash,
            tuple(charge._replace(amount=-charge.amount) for charge in move.charges),
        )
        for move in event.moves
    ]  # fmt: skip
    return replace(event, event_id=new_id(), moves=moves)


def figures() -> dict[UUID, tuple[Decimal, ...]]:
    """Of every account: cash pending, units pending, units short."""
    stock = {row.account_id: (row.pending, row.short) for row in Holding.objects.filter(instrument_id=VOD)}
    cash = CashBalance.objects.filter(currency="GBP")
    return {row.account_id: (row.pending, *stock.get(row.account_id, (D(0), D(0)))) for row in cash}


def prove() -> None:
    codes = {"CASH_DIFFERS", "STOCK_DIFFERS", "MONEY_FROM_NOWHERE", "OVERDRAWN_UNMARKED", "CHARGES_DIFFER"}
    with connection.cursor() as cursor:
        for check in CHECKS:
            if check.code in codes:
                cursor.execute(check.sql)
                assert cursor.fetchall() == [], check.code
    for account_id, (pending, units, short) in figures().items():
        money = get_money_as_at(account_id=account_id, at=AT)
        assert (money.cash["GBP"].pending, money.stock_in(VOD).pending, money.stock_in(VOD).short) == (
            pending, units, short,
        )  # fmt: skip


def test_a_block_is_booked_charged_and_undone_to_the_minor_unit_and_every_view_follows() -> None:
    wash, one, two = funded_account("WASH"), funded_account("AC1"), funded_account("AC2")
    rounding = funded_account("ROUND", cash="0")
    book_executions(bookings=[booking(wash.id, qty="100", cash="-500.01")], at=AT)
    before = figures()
    first = AllocationMove(new_id(), one.id, D(60), D("-300.00"), (COMMISSION, DUTY))
    second = AllocationMove(new_id(), two.id, D(40), D("-200.00"))
    event = event_of(wash, [first, second, AllocationMove(new_id(), rounding.id, D(0), D("-0.01"))])

    done = book(event)
    told(event, "AllocationBooked")

    assert figures() == {
        wash.id: (D(0), D(0), D(0)),
        one.id: (D("-309.50"), D(60), D(0)),
        two.id: (D("-200.00"), D(40), D(0)),
        rounding.id: (D("-0.01"), D(0), D(0)),
    }
    booked = Booking.objects.filter(allocation_id=first.allocation_id).order_by("id")
    assert [(row.kind, row.charge, row.instrument_id, row.amount) for row in booked] == [
        ("allocation", "", VOD, D(60)),
        ("allocation", "", None, D("-300")),
        ("commission", "commission", None, D("-7")),
        ("tax", "uk_sdrt", None, D("-2.5")),
    ]
    # The rounding account has nothing of its own: a minor unit overdraws it, which is told and can be covered.
    assert [(item.subject_id, item.evidence["available"]) for item in done.raised] == [(str(rounding.id), "-0.01")]
    prove()
    cost = list_costs(account_id=one.id)[VOD]
    assert (cost.qty, cost.value, cost.realised) == (D(60), D("309.50"), {})
    assert list_costs(account_id=wash.id)[VOD].qty == 0
    (view,) = get_books(account_id=one.id, today=DAY).stock
    assert (view.day.bought, view.day.sold) == (D(60), D(0))

    back = undone(event)
    assert [item.subject_id for item in book(back).cleared] == [str(rounding.id)]
    assert figures() == {**before, rounding.id: (D(0), D(0), D(0))}
    prove()
    assert list_costs(account_id=one.id).get(VOD) is None
    assert AllocationPart.objects.count() == 2


@pytest.mark.parametrize(
    ("side", "qty", "cash", "wash_after", "client_after"),
    [
        (Side.SELL, "-100", "500", (D(0), D(0), D(0)), (D("500"), D(-100), D(0))),
        (Side.SELL_SHORT, "-100", "500", (D(0), D(0), D(0)), (D("500"), D(0), D(100))),
    ],
)
def test_sales_move_the_leg_that_was_sold(
    side: Side, qty: str, cash: str, wash_after: tuple[Decimal, ...], client_after: tuple[Decimal, ...]
) -> None:
    wash, client = funded_account("WASH", stock="100"), funded_account("AC1", stock="100")
    book_executions(bookings=[booking(wash.id, qty=qty, cash=cash, side=side)], at=AT)

    book(event_of(wash, [AllocationMove(new_id(), client.id, D(qty), D(cash))], side))

    assert figures() == {wash.id: wash_after, client.id: client_after}
    prove()


def test_the_picture_and_the_replay_read_it_from_events_alone() -> None:
    wash, one, two = funded_account("WASH"), funded_account("AC1"), funded_account("AC2")
    event = event_of(
        wash,
        [
            AllocationMove(new_id(), one.id, D(60), D("-300"), (DUTY,)),
            AllocationMove(new_id(), two.id, D(40), D("-200")),
        ],
    )
    book(event)
    told(event, "AllocationBooked")

    assert compare_replay().differing == 0
    state = PictureState()
    take_all(state, list_happenings(0))
    assert compare_picture(state=state, position=2**62).equal
    assert state.money.accounts[str(one.id)] == {"GBP": (D(1000), D("-302.50"), D(0)), str(VOD): (D(0), D(60), D(0))}

    back = undone(event)
    book(back)
    told(replace(event, event_id=back.event_id), "AllocationReversed")

    assert compare_replay().differing == 0
    again = PictureState()
    take_all(again, list_happenings(0))
    assert compare_picture(state=again, position=2**62).equal
    assert again.money.accounts[str(one.id)]["GBP"] == (D(1000), D(0), D(0))
