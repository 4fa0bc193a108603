"""The trade feed over the tables: a line for what was booked, re-booked, compensated and undone, once, in positions without gaps."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from allocations.domain.feed import Entry, live
from allocations.domain.telling import parts
from allocations.models import Allocation, Block, FeedEntry, NoteSeries, StandingInstruction
from journal.domain.chain import verify_chain
from journal.models import Cursor, Event
from journal.selectors import stream_events
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id
from tests.factories import AT, make_account, make_desk
from tests.factories.allocations import DAY, SETTLES, _draft, booked_block, told_block, told_line
from tests.factories.noted import NotedHouse, booked_again, listen_to_allocations, make_noted_house, undone_block

pytestmark = pytest.mark.django_db
LATER = AT + timedelta(hours=1)


@pytest.fixture
def house() -> NotedHouse:
    return make_noted_house(make_desk(cash="1000000"))


def lines() -> list[tuple[int, str, str, int, str]]:
    rows = FeedEntry.objects.order_by("position").select_related("allocation__account")
    return [(row.position, row.what, row.trade_ref, row.version, row.allocation.account.code) for row in rows]


def kept() -> dict[str, Any]:
    rows = FeedEntry.objects.order_by("position")
    entries = [
        Entry(row.what, row.trade_ref, row.version, row.allocation_id, row.payload, row.event_id) for row in rows
    ]
    return {str(entry.allocation_id): entry.payload["qty"] for entry in live(entries).values()}


def standing() -> dict[str, Any]:
    rows = Allocation.objects.filter(state__in=["booked", "parked", "compensated"])
    return {str(row.id): f"{row.qty.normalize():f}" for row in rows}


@pytest.mark.parametrize("limit", [1, 500])
def test_every_change_is_a_line_and_a_reader_has_what_stands(house: NotedHouse, limit: int) -> None:
    world = house.world
    other = make_account("ACC-2", group=world.group)
    made = house.behind(booked_block(world, [(world.account, 600), (other, 401)], px="72.453"))
    house.direct(fees="12.5")
    again = booked_again(made, [(world.account, 1001)], at=LATER)
    listen_to_allocations(LATER, limit=limit)

    assert lines() == [
        (1, "new", "T-1000", 1, "ACC-EQ1"), (2, "new", "T-1001", 1, "ACC-2"), (3, "new", "T-1999", 1, "WASH-1-R"),
        (4, "new", "T-500000", 1, "ACC-EQ1"),
        (5, "cancel", "T-1001", 2, "ACC-2"), (6, "cancel", "T-1999", 2, "WASH-1-R"), (7, "correction", "T-1000", 2, "ACC-EQ1"),
    ]  # fmt: skip
    assert kept() == standing()
    undone_block(again, at=LATER + timedelta(minutes=1))
    listen_to_allocations(LATER, limit=limit)
    assert lines()[7:] == [(8, "cancel", "T-1000", 3, "ACC-EQ1")]
    assert kept() == standing()

    # Told again from the beginning, as after a restore: nothing is added.
    Cursor.objects.filter(name="allocations.feed").update(position=0)
    listen_to_allocations(LATER, limit=limit)
    assert (len(lines()), NoteSeries.objects.get(pk="trade-feed").last_number) == (8, 8)
    assert Event.objects.filter(stream="trade-feed").count() == 8
    assert verify_chain(stream_events("trade-feed")) == []


def test_a_line_says_all_that_settlement_and_accounting_need(house: NotedHouse) -> None:
    world = house.world
    StandingInstruction.objects.create(
        account=world.account, mic="", currency="GBP", place="CRSTGB22", agent="BARCGB22", safekeeping_account="S1",
        cash_account="C1", effective_from=DAY, version=1, event_id=new_id(), recorded_at=AT,
    )  # fmt: skip
    made = house.direct(fees="12.5")
    listen_to_allocations()

    payload = FeedEntry.objects.get().payload
    order = house.fills[0].order
    expected = {
        "position": 1, "what": "new", "trade_ref": "T-500000", "version": 1, "replaces_version": None, "compensates": None,
        "kind": "trade", "state": "booked", "account": "ACC-EQ1", "booked_account": "ACC-EQ1", "client": "CL-ACC-EQ1",
        "client_lei": None, "counterparty": "T1", "symbol": "VOD.L", "isin": "GB00BH4HKS39", "mic": "XLON", "side": "buy",
        "capacity": "A", "qty": "1000", "avg_px": "72.45", "price_unit": "GBX", "currency": "GBP", "gross": "-724.5",
        "charges": [{"kind": "commission", "name": "commission", "version": 1, "amount": "12.5"}], "fees": "12.5",
        "net": "-737", "trade_date": DAY.isoformat(), "settlement_date": SETTLES.isoformat(),
        "settlement": {"place": "CRSTGB22", "agent": "BARCGB22", "safekeeping_account": "S1", "cash_account": "C1"},
        "allocation": {"id": str(made.lines[0].id), "ref": "A-500000", "round": 1},
        "block": {"id": str(made.block.id), "ref": "B-500", "kind": "direct"},
        "orders": [{"id": str(order.id), "ref": order.ref, "client_order_id": None}], "fills_count": 2,
    }  # fmt: skip
    fills = payload.pop("fills")
    assert payload == expected
    assert [(one["exec_id"], one["qty"], one["px"]) for one in fills] == [("X2", "400", "72.4"), ("X3", "600", "72.5")]
    event = Event.objects.get(stream="trade-feed")
    assert event.payload == {**expected, "fills": fills, "desk_id": world.desk.pk, "account_group_id": world.group.pk}
    assert event.causation_id == made.lines[0].booked_event_id


def test_a_share_in_suspense_is_told_as_parked_and_corrected_when_it_is_released(house: NotedHouse) -> None:
    world = house.world
    made = booked_block(world, [(world.account, 10)])
    line = told_line(made.lines[0])

    def tell(kind: str, state: str) -> None:
        payload = parts(told_block(made.block), [line._replace(state=state)])[0]
        append_to_stream(drafts=[_draft(kind, f"block:{made.block.id}", payload, AT, new_id())], at=AT)

    Cursor.objects.update_or_create(
        name="allocations.feed", defaults={"position": Event.objects.latest("position").position}
    )
    tell("AllocationBooked", "parked")
    tell("AllocationBooked", "booked")
    tell("AllocationBooked", "booked")
    listen_to_allocations()

    rows = FeedEntry.objects.order_by("position")
    assert [(row.what, row.version, row.payload["state"]) for row in rows] == [
        ("new", 1, "parked"),
        ("correction", 2, "booked"),
    ]


def test_a_trade_that_undoes_a_settled_one_is_a_trade_of_its_own(house: NotedHouse) -> None:
    world = house.world
    made = house.direct()
    settled = made.lines[0]
    Block.objects.filter(pk=made.block.pk).update(state="dissolved", qty=0, notional=0, cash=0, fills=0)
    Allocation.objects.filter(pk=settled.pk).update(state="compensated", ended_at=LATER)
    undoes = Allocation.objects.create(
        id=new_id(), number=600000, block=made.block, round=1, account=world.account, booked_account_id=world.account.id,
        side="2", qty=settled.qty, avg_px=settled.avg_px, gross=-settled.gross, charges=[], fees=0, net=-settled.gross,
        trade_date=LATER.date(), settlement_date=SETTLES, state="booked", compensates=settled, booked_event_id=new_id(),
        booked_at=LATER,
    )  # fmt: skip
    payload = parts(told_block(made.block), [told_line(undoes)])[0]
    append_to_stream(
        drafts=[_draft("AllocationCompensated", f"block:{made.block.id}", payload, LATER, new_id())], at=LATER
    )
    listen_to_allocations(LATER)

    first, second = FeedEntry.objects.order_by("position")
    assert (first.trade_ref, second.trade_ref, second.what) == ("T-500000", "T-600000", "new")
    assert (second.payload["kind"], second.payload["compensates"], second.payload["side"]) == (
        "compensation",
        "T-500000",
        "sell",
    )
    assert kept() == standing()
    assert sum(Decimal(row.payload["gross"]) for row in (first, second)) == 0
