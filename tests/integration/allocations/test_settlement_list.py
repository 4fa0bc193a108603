"""The list of instructions page by page, what fails by age and reason, and the cash to come: whatever the split, the same sums."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from allocations.models import SettlementInstruction
from allocations.selectors.settlement_forecast import Split, forecast_settlement, totals
from allocations.selectors.settlement_list import (
    InstructionFilter,
    all_instructions,
    fails_by_age,
    page_of_instructions,
)
from allocations.services.instruct_settlements import instruct_settlements
from allocations.services.on_allocated_settle import handle
from allocations.services.watch_settlements import watch_settlements
from authorisation.domain.principal import process_principal
from kernel.errors import Invalid
from tests.factories import AT, make_account, make_desk
from tests.factories.allocations import booked_block
from tests.factories.confirming import confirming_world
from tests.integration.allocations.test_settlement import OPS, line, place, say, standing

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture(autouse=True)
def _var(tmp_path: Path, settings: Any) -> None:
    settings.VAR_DIR = tmp_path


def moment(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=AT.tzinfo)


def world() -> Any:
    """Buys of four days for three accounts at two custodians, and a sale."""
    desk = make_desk()
    accounts = [desk.account, make_account("ACC-2", group=desk.group), make_account("ACC-3", group=desk.group)]
    for number, account in enumerate(accounts):
        standing(desk, account, agent="CUSTGB2L" if number else "HARBGB2L")
    for number, day in enumerate((23, 24, 24, 25)):
        made = booked_block(
            desk, [(account, 10 * (1 + place)) for place, account in enumerate(accounts)], number=number + 1,
            settlement_date=date(2026, 11, day), side="2" if number == 2 else "1",
        )  # fmt: skip
        handle(made.events)
    instruct_settlements(at=AT)
    return desk


def refs(actor: Any = OPS, *, at: datetime = AT, **wanted: Any) -> list[str]:
    found, after = [], ""
    while True:
        page = page_of_instructions(actor, InstructionFilter(**wanted), at=at, after=after, most=2)
        found += [row.ref for row in page.rows]
        after = page.next_after
        if not after:
            return found


def test_pages_go_on_behind_the_last_row_and_filters_narrow_them() -> None:
    desk = world()
    everything = [row.ref for row in all_instructions(OPS, InstructionFilter(), at=AT, most=100)]
    assert len(everything) == 12
    assert refs() == everything
    first = page_of_instructions(OPS, InstructionFilter(), at=AT, most=2)
    say(line(everything[0], "settled", "Z"))  # gone from the list meanwhile: nothing is skipped
    second = page_of_instructions(OPS, InstructionFilter(), at=AT, after=first.next_after, most=2)
    assert [row.ref for row in second.rows] == everything[2:4]
    assert len(refs(account="acc-2")) == 4
    assert len(refs(custodian="harbgb2l")) == 3
    assert (len(refs(mic="XLON")), refs(mic="XETR"), len(refs(currency="gbp"))) == (11, [], 11)
    assert refs(state="settled") == everything[:1]
    assert len(refs(day=date(2026, 11, 24))) == 6
    # On the 25th (Wednesday) the 23rd is two settlement days ago, the 24th one.
    assert [len(refs(age=age, at=moment(25))) for age in (1, 2, 3)] == [8, 2, 0]
    assert refs(held=True) == []
    SettlementInstruction.objects.filter(ref=everything[-1]).update(reason="x")
    assert refs(make_desk("EQ9", symbol="BARC.L", last="240").dealer) == []
    assert len(refs(desk.dealer)) == 11
    for after in ("soon", "2026-13-01.S1", "."):
        with pytest.raises(Invalid):
            page_of_instructions(OPS, InstructionFilter(), at=AT, after=after)


def test_what_fails_is_counted_by_reason_and_age_of_its_market() -> None:
    world()
    rows = list(SettlementInstruction.objects.order_by("settlement_date", "ref"))
    say(
        line(rows[0].ref, "pending", code="LACK"),
        line(rows[1].ref, "partial", "P", "5", "3.62"),
        line(rows[3].ref, "rejected", code="SAFE"),
    )
    say(line(rows[2].ref, "settled", "Z"))
    watch_settlements(at=moment(25, 1))
    found = fails_by_age(OPS, at=moment(25))
    assert [(one.reason, one.counts, one.count) for one in found] == [
        ("no reason given", [5, 1, 0, 0], 6), ("LACK", [0, 1, 0, 0], 1), ("refused SAFE", [1, 0, 0, 0], 1)
    ]  # fmt: skip
    late = [
        row
        for row in SettlementInstruction.objects.all()
        if row.settlement_date < date(2026, 11, 25) and row.state != "settled"
    ]
    assert sum(one.net for one in found) == sum((-1 if row.delivery == "RECE" else 1) * row.open_amount for row in late)
    assert fails_by_age(OPS, at=datetime(2026, 12, 4, 12, tzinfo=AT.tzinfo))[0].counts == [0, 0, 3, 6]


def test_the_forecast_is_the_open_instructions_whatever_it_is_split_by_and_says_what_is_uncertain() -> None:
    made = confirming_world()
    for one in made.made.lines:
        place(one.account)
    handle(made.made.events)
    desk = made.desk
    third = make_account("ACC-9", group=desk.group)
    standing(desk, third, agent="HARBGB2L")
    handle(booked_block(desk, [(third, 50)], number=7, side="2", settlement_date=date(2026, 11, 20)).events)
    handle(booked_block(desk, [(third, 30)], number=8).events)
    instruct_settlements(at=AT)
    row = SettlementInstruction.objects.get(qty=30)
    say(line(row.ref, "partial", "P", "10", "7.00"))

    at = moment(21)  # a Saturday: what failed on Friday is expected on Monday
    watch_settlements(at=at)
    due: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in SettlementInstruction.objects.exclude(state__in=["settled", "canceled"]):
        due[one.currency] += -one.open_amount if one.delivery == "RECE" else one.open_amount
    splits = {by: forecast_settlement(OPS, at=at, by=by) for by in Split}
    assert {by: totals(lines) for by, lines in splits.items()} == {by: dict(due) for by in Split}
    assert {by: sum(line.count for line in lines) for by, lines in splits.items()} == dict.fromkeys(Split, 4)
    whole = splits[Split.NONE]
    assert [(one.day.isoformat(), one.receipts, one.payments, one.unaffirmed, one.failing) for one in whole] == [
        ("2026-11-23", D("36.22"), D(0), D(0), D("36.22")),
        ("2026-11-24", D(0), D("-739.24"), D("-724.50"), D(0)),
    ]  # fmt: skip
    assert sorted({one.key for one in splits[Split.CUSTODIAN]}) == ["CUSTGB2L", "HARBGB2L"]
    assert {one.key for one in splits[Split.DESK]} == {desk.desk.code}
    assert {one.key for one in splits[Split.ACCOUNT]} >= {"ACC-9"}
    assert forecast_settlement(make_desk("EQ9", symbol="BARC.L", last="240").dealer, at=at) == []
    assert forecast_settlement(process_principal("x"), at=at, by=Split.NONE) == whole
