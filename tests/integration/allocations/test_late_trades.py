"""An execution of an earlier day, told after everything else of that day is over: its own block and records, on its own dates."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from allocations.models import Allocation, Block, Confirmation, ContractNote, FeedEntry, SettlementInstruction
from journal.models import Event
from tests.factories.chain_world import chain_world

pytestmark = pytest.mark.django_db
D = Decimal
LINES = [{"account": "C1", "weight": "1"}, {"account": "C2", "weight": "1"}]


def test_trades_told_late_are_of_their_day_a_holiday_too_and_settle_late() -> None:
    chain = chain_world()
    placed, other = chain.order(0, 1000), chain.order(0, 1000)
    chain.fill(placed, 400, "72.40")
    chain.relay()
    chain.book(Block.objects.select_related("listing").get(), "weights", LINES)
    chain.relay()
    chain.affirm(Block.objects.get())
    chain.note("XLON", date(2026, 11, 20))
    chain.night(4)  # Thursday the 26th: Friday's trades were to settle on Tuesday
    chain.relay()

    late = chain.fill(placed, 100, "72.50", day=date(2026, 11, 20))
    sunday = chain.fill(other, 10, "72.50", day=date(2026, 11, 22))
    chain.relay()
    blocks = {block.trade_date: block for block in Block.objects.select_related("listing")}
    assert {day: (block.state, block.qty, block.settlement_date) for day, block in blocks.items()} == {
        late.day: ("booked", D(500), date(2026, 11, 24)),
        sunday.day: ("ready", D(10), date(2026, 11, 24)),
    }
    chain.book(blocks[sunday.day], "weights", LINES)
    chain.relay()
    # 400 at 72.40 and 100 at 72.50 pence: 289.60 and 72.50 pounds, half each.
    lines = Allocation.objects.filter(state="booked", block=blocks[late.day], qty__gt=0).order_by("account__code")
    assert [(line.account.code, line.qty, line.gross, line.trade_date) for line in lines] == [
        ("C1", D(250), D("-181.05"), late.day), ("C2", D(250), D("-181.05"), late.day),
    ]  # fmt: skip
    states = [one.state == "canceled" for one in Confirmation.objects.all()]
    assert (states.count(True), states.count(False)) == (2, 4)
    assert FeedEntry.objects.filter(what="correction").count() == 2
    live = ContractNote.objects.filter(state="issued", cancels=None)
    assert sorted(live.values_list("account__code", "trade_date")) == [
        (code, day) for code in ("C1", "C2") for day in (late.day, sunday.day)
    ]
    assert all(note.replaces_id for note in live.filter(trade_date=late.day))
    rows = SettlementInstruction.objects.exclude(state="canceled")
    assert set(rows.values_list("state", "settlement_date")) == {("failed", date(2026, 11, 24))}
    assert Event.objects.filter(kind="AnomalyRaised", payload__kind="SETTLEMENT_FAILED").count() >= 4
    for row in rows:
        chain.custodian(row, "settled", row.qty)
    chain.relay()
    chain.prove()
    chain.fsck()


def test_an_execution_that_is_all_excess_moves_nothing_of_a_trade_but_its_charges() -> None:
    """1,000 of 1,000, then 200 and 80 more at 72.50 pence: half a per cent of duty on 725, 870 and 928 pounds, and 7 of commission."""
    chain = chain_world()
    placed = chain.order(2, 1000)
    chain.fill(placed, 1000, "72.50")
    chain.relay()
    chain.fill(placed, 200, "72.50")
    chain.relay()
    chain.prove()
    (line,) = Allocation.objects.filter(state="booked")
    assert (line.qty, line.gross, line.fees, line.net) == (D(1000), D(-725), D("11.35"), D("-736.35"))
    assert SettlementInstruction.objects.exclude(state="canceled").get().amount == D("736.35")

    chain.custodian(SettlementInstruction.objects.exclude(state="canceled").get(), "settled", D(1000))
    chain.fill(placed, 80, "72.50")
    chain.relay()
    chain.prove()
    beside = Allocation.objects.exclude(state="reversed").get(compensates=line)
    assert (beside.qty, beside.gross, beside.net) == (D(0), D(0), D("-0.29"))
