"""What changed hands is booked once: whoever brings it at the same time, beside a statement, beside its own undoing."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import Booking, CashBalance, Holding
from accounts.services.book_statement import Statement, book_statement, open_statement, weigh_statement
from allocations.models import Allocation, Block, SettlementFile, SettlementInstruction, SettlementStatus
from allocations.services._on_one_instruction import NotPossible
from allocations.services.cascade_blocks import cascade_blocks
from allocations.services.hold_instruction import hold_instruction
from allocations.services.instruct_settlements import instruct_settlements
from allocations.services.on_allocated_settle import handle
from allocations.services.send_again import send_again
from allocations.services.write_settlement_files import outgoing, write_settlement_files
from kernel.ids import new_id
from tests.concurrency.threads import together
from tests.factories import AT, make_desk
from tests.factories.accounts import SEED
from tests.factories.allocations import reversed_block
from tests.integration.allocations.test_blocks import bust, listen
from tests.integration.allocations.test_cascade import instructions, traded
from tests.integration.allocations.test_settlement import LATER, World, booked, line, raised, say, standing
from tests.integration.allocations.test_standing_instructions import keeper

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal
SETTLED = line("S1000-1", "settled", "Z1", "1000", "724.50")


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.VAR_DIR = tmp_path
    with transaction.atomic():  # a block is its lines at every commit
        return booked()


def cash(world: World) -> tuple[Decimal, Decimal]:
    row = CashBalance.objects.get(account=world.desk.account)
    return row.settled, row.pending


def state_bank(world: World) -> None:
    """The bank's figure of the evening: the trade is in it."""
    cut = datetime(2026, 11, 24, 17, tzinfo=UTC)
    statement = Statement(new_id(), new_id(), "BANK", "cash", cut, cut.date())
    with transaction.atomic(), connection.cursor() as cursor:
        open_statement(statement)
        cursor.execute("INSERT INTO accounts_wanted VALUES (%s, 'GBP', %s)", [world.desk.account.id, D("99275.50")])
        weigh_statement(statement)
        book_statement(actor=SEED, at=LATER, statement=statement)


def test_the_same_file_three_times_at_once_beside_the_statement_that_has_it(world: World) -> None:
    sent = together([lambda: instruct_settlements(at=AT)] * 3)
    assert sorted(sent) == [0, 0, 2]
    assert sorted(together([lambda: write_settlement_files(at=AT)] * 2)) == [0, 2]
    assert len(list(outgoing().rglob("*.*"))) == SettlementFile.objects.count() == 2

    done = together([*[lambda: say(SETTLED)] * 3, lambda: state_bank(world)])
    assert sorted(one.stored for one in done if one is not None) == [0, 0, 1]
    assert SettlementStatus.objects.count() == 1
    assert cash(world) == (D("99275.50"), D(0))
    assert sum(b.amount for b in Booking.objects.filter(currency="GBP", kind="settlement", layer="settled")) == D(
        "-724.50"
    )
    assert world.row().state == "settled"


def test_settling_and_undoing_at_once_end_as_one_or_the_other(world: World) -> None:
    instruct_settlements(at=AT)
    with transaction.atomic():
        reversed_block(world.made, at=LATER)
        Block.objects.update(state="changed")
    events = world.made.events

    def undo() -> None:
        with transaction.atomic():
            handle(events)

    done = together([lambda: say(SETTLED), undo])
    assert [one for one in done if isinstance(one, Exception)] == []
    state = world.row().state
    assert state in ("settled", "canceled")
    moved = state == "settled"
    assert cash(world) == ((D("99275.50"), D(0)) if moved else (D(100000), D("-724.50")))
    assert (len(raised("SETTLED_REVERSED")), len(raised("SETTLEMENT_CONTRADICTION"))) == (int(moved), int(not moved))


def test_what_settles_beside_its_own_cascade_is_compensated_or_told_and_the_figures_are_those_of_the_trade(
    tmp_path: Path, settings: Any
) -> None:
    settings.VAR_DIR = tmp_path
    desk = make_desk(cash="1000000")
    order = traded(desk)
    assert instructions() == [("RECE", "waiting", D(1000))]
    standing(desk, desk.account)
    assert instruct_settlements(at=AT) == 1
    row = SettlementInstruction.objects.get()
    bust(order, 4, of=2)
    listen()
    done = together([lambda: say(line(row.ref, "settled", "Z1")), lambda: cascade_blocks(at=LATER)])
    assert [one for one in done if isinstance(one, Exception)] == []
    instructions()
    cascade_blocks(at=LATER)
    instructions()
    row.refresh_from_db()
    told = {
        kind: len(raised(kind)) for kind in ("SETTLED_TRADE_CHANGED", "SETTLED_REVERSED", "SETTLEMENT_CONTRADICTION")
    }
    assert sum(told.values()) == 1, told
    assert row.state == ("canceled" if told["SETTLEMENT_CONTRADICTION"] else "settled")
    lines = Allocation.objects.exclude(state="reversed")
    held = Holding.objects.get(account=desk.account)
    cash_row = CashBalance.objects.get(account=desk.account, currency="GBP")
    assert held.settled + held.pending == sum(one.qty if one.side == "1" else -one.qty for one in lines) == D(600)
    assert cash_row.settled + cash_row.pending == D(1000000) + sum(one.net for one in lines)
    assert cash_row.settled == (D(1000000) if row.state == "canceled" else D(1000000) - row.amount)


def test_sent_again_by_two_at_once_lives_once_and_held_beside_the_sweeper_leaves_or_stays(world: World) -> None:
    instruct_settlements(at=AT)
    say(line("S1000-1", "rejected", code="SAFE"))
    who = keeper(world.desk)

    def again(key: str) -> Any:
        return send_again(actor=who, at=AT, idempotency_key=key, route="test", ref="S1000-1", reason="x")

    done = together([lambda: again("a"), lambda: again("b"), lambda: again("a")])
    assert len([one for one in done if isinstance(one, NotPossible)]) in (1, 2)
    assert list(SettlementInstruction.objects.filter(ref__startswith="S1000").order_by("ref").values_list("ref", "state")) == [
        ("S1000-1", "canceled"), ("S1000-2", "waiting")
    ]  # fmt: skip

    def hold() -> Any:
        return hold_instruction(actor=who, at=AT, idempotency_key="h", route="test", ref="S1000-2", reason="x")

    held, sent = together([hold, lambda: instruct_settlements(at=AT)])
    row = SettlementInstruction.objects.get(ref="S1000-2")
    assert (row.held_at is not None, row.state, sent) in ((True, "waiting", 0), (False, "instructed", 1))
    assert isinstance(held, NotPossible) == (row.state == "instructed")
