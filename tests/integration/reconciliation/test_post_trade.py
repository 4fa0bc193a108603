"""Allocated trades and settlement instructions against files of others: what agrees is quiet, each difference is one break, once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from allocations.models import SettlementInstruction
from authorisation.domain.principal import process_principal
from kernel.ids import new_id
from reconciliation.models import Break, Run, RunBreak
from reconciliation.services.run_reconciliation import run_reconciliation
from tests.factories import AT, DeskWorld, make_account, make_desk
from tests.factories.allocations import BookedWorld, booked_block
from tests.factories.statements import kept_csv

pytestmark = pytest.mark.django_db
Rows = list[dict[str, Any]]
TRADED, SETTLES = AT.date(), date(2026, 11, 24)


def block(world: DeskWorld) -> BookedWorld:
    clients = [make_account(f"C-{n}", group=world.group) for n in range(3)]
    return booked_block(world, [(clients[0], 333), (clients[1], 333), (clients[2], 334)], fees="1.50")


def allocation_rows(made: BookedWorld) -> Rows:
    return [
        {
            "our_ref": line.ref, "their_ref": f"T{line.number}", "account": line.account.code, "isin": "GB00BH4HKS39",
            "side": "buy", "qty": f"{line.qty:f}", "currency": "GBP", "trade_date": "2026-11-20",
            "settlement_date": "2026-11-24", "avg_px": f"{line.avg_px:f}"[:12], "gross": f"{-line.gross:f}", "commission": "1.50",
            "fees": "0", "net": f"{-line.net:f}",
        }
        for line in made.lines
        if not line.is_rounding
    ]  # fmt: skip


def run(kind: str, rows: Rows, day: date = TRADED) -> Run:
    result = run_reconciliation(
        kind=kind, file=kept_csv(kind, rows, source="T1"), as_of=day, actor=process_principal("test"),
        at=AT + timedelta(hours=9), trigger="by_hand",
    )  # fmt: skip
    done = Run.objects.get(id=result.run_id)
    assert done.state == "done", done.sentence
    return done


def found(done: Run) -> list[tuple[str, str]]:
    seen = RunBreak.objects.filter(run=done).exclude(word="closed").select_related("item")
    return sorted((one.item.category, one.item.ids["account"]) for one in seen)


def test_allocations_agree_or_break_one_by_one_and_close_by_themselves() -> None:
    world = make_desk()
    made = block(world)
    rows = allocation_rows(made)

    done = run("allocations", rows)
    assert (found(done), done.internal, done.external, done.matched) == ([], 3, 3, 3)

    changed = [rows[0] | {"net": "999.99"}, rows[1] | {"our_ref": "", "settlement_date": "2026-11-25"}]
    first = run("allocations", changed)
    assert found(first) == [("missing_external", "C-2"), ("price", "C-0"), ("timing", "C-1")]
    again = run("allocations", changed)
    assert (again.written, again.standing) == (0, 3)
    item = Break.objects.get(category="price")
    assert item.account_id == made.lines[0].account_id
    assert item.why.startswith(f"Allocation {made.lines[0].ref} of C-0 in GB00BH4HKS39: net is ")
    assert (item.effect, int(item.theirs["line"])) == ("", 2)

    run("allocations", rows)
    assert set(Break.objects.values_list("state", "closed_as")) == {("closed", "agreed")}


def test_settlements_are_open_instructions_and_those_that_ended_on_the_day() -> None:
    world = make_desk()
    made = block(world)
    for line in made.lines:
        if not line.is_rounding:
            SettlementInstruction.objects.create(
                id=new_id(), ref=f"S{line.number}-1", allocation=line, version=1, account=line.account,
                instrument_id=world.listing.instrument_id, delivery="RECE", qty=line.qty, amount=-line.net, currency="GBP",
                trade_date=line.trade_date, settlement_date=SETTLES, created_at=AT, event_id=new_id(),
            )  # fmt: skip
    SettlementInstruction.objects.update(state="instructed", instructed_at=AT)
    SettlementInstruction.objects.filter(ref=f"S{made.lines[2].number}-1").update(state="matched")
    rows = [
        {
            "our_ref": one.ref, "account": one.account.code, "isin": "GB00BH4HKS39", "side": "1", "qty": f"{one.qty:f}",
            "amount": f"{one.amount:f}", "currency": "GBP", "settlement_date": "2026-11-24", "trade_date": "2026-11-20",
            "settled_qty": "0", "status": "pending",
        }
        for one in SettlementInstruction.objects.order_by("ref")
    ]  # fmt: skip

    assert run("settlements", rows, day=AT.date()).internal == 0  # not due yet: they are a surplus of the file
    done = run("settlements", rows, day=SETTLES)
    assert (found(done), done.matched) == ([], 3)
    settled = run(
        "settlements", [rows[0] | {"status": "settled", "settled_qty": rows[0]["qty"]}, *rows[1:]], day=SETTLES
    )
    assert found(settled) == [("quantity", "C-0"), ("status", "C-0")]
