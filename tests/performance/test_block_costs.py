"""What a block costs where the clock does not wobble: as many statements for three hundred accounts as for ten."""

from __future__ import annotations

from typing import Any

import pytest

from allocations.models import Allocation, Block, WashAccount
from allocations.services.book_allocation import book_allocation
from allocations.services.preview_allocation import preview_allocation, preview_json
from allocations.services.rebook_allocation import rebook_allocation
from allocations.services.save_scheme import save_scheme
from authorisation.domain.principal import process_principal
from kernel.clock import utc_now
from tests.factories import AT, DeskWorld, charge_as_published, make_desk
from tests.factories.allocations import make_clients, make_wash_account, open_block
from tests.performance.test_query_counts import TRANSACTION_CONTROL, statements_sent

pytestmark = pytest.mark.django_db
HOUSE = process_principal("allocations")
FEW, MANY = 10, 300
STATEMENTS = {"preview": 13, "book": 49, "again": 60}
"""Bounds: a figure above one is a regression to look at, a lower one may be written down."""


def lines_of(world: DeskWorld, wash: WashAccount, code: str, count: int) -> list[dict[str, Any]]:
    """So many accounts, and a scheme that divides among them by default."""
    accounts = make_clients(world, code, count)
    lines = [{"account": name, "weight": str(1 + number % 7)} for number, (_, name) in enumerate(accounts)]
    body = {
        "code": code, "name": code, "desk": "", "method": "weights", "lines": lines, "parameters": {},
        "wash_account": wash.account.code, "strategy": "", "books_alone": False, "ended": False,
    }  # fmt: skip
    save_scheme(actor=HOUSE, at=AT, body=body, request_id=None)
    return lines


def costs(world: DeskWorld, number: int, count: int) -> dict[str, int]:
    """Statements of a preview, of the booking, and of booking it anew."""
    wash = make_wash_account(world, f"WASH-{number}")
    lines = lines_of(world, wash, f"S{number}", count)
    block = open_block(world, [(7000, "72.40"), (13000, "72.55")], wash=wash, number=number)
    found = {}
    with statements_sent() as sent:
        preview_json(preview_allocation(actor=HOUSE, at=utc_now(), block_ref=block.ref))
    found["preview"] = counted(sent)
    with statements_sent() as sent:
        book_allocation(
            actor=HOUSE,
            at=utc_now(),
            idempotency_key=block.ref,
            block_ref=block.ref,
            method="weights",
            scheme=f"S{number}",
            lines=lines,
        )
    found["book"] = counted(sent)
    Block.objects.filter(pk=block.pk).update(state="changed")
    with statements_sent() as sent:
        rebook_allocation(actor=HOUSE, at=utc_now(), block_id=block.id, why="corrected")
    found["again"] = counted(sent)
    assert Allocation.objects.filter(block=block, state="booked", is_rounding=False).count() == count
    return found


def counted(sent: list[str]) -> int:
    return sum(not sql.startswith(TRANSACTION_CONTROL) for sql in sent)


def test_ten_accounts_and_three_hundred_take_the_same_statements() -> None:
    world = make_desk()
    charge_as_published()
    costs(world, 1, 2)  # what a process reads once
    few, many = costs(world, 2, FEW), costs(world, 3, MANY)
    assert few == many
    assert {name: most for name, most in STATEMENTS.items() if many[name] > most} == {}, many
