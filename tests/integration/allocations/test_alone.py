"""The house books alone only what was said before, tells what it cannot, and whose day is over without being flat."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from allocations.models import Allocation, Scheme
from allocations.services.book_alone import book_alone
from allocations.services.save_scheme import save_scheme
from allocations.services.watch_wash import watch_wash
from authorisation.services.decide_request import NotApplied
from journal.selectors.anomalies import is_raised
from kernel.errors import InvariantBroken
from tests.factories import AT
from tests.factories.blocks import HOUSE, BlockWorld, block_world
from tests.integration.allocations.test_book_allocation import intended

pytestmark = pytest.mark.django_db
D = Decimal


def scheme(world: BlockWorld, **changes: Any) -> Scheme:
    body: dict[str, Any] = {
        "code": "ALL", "name": "all", "desk": "EQ1", "method": "weights", "lines": [{"account": "C1", "weight": "1"}],
        "parameters": {}, "wash_account": world.wash.account.code, "strategy": "", "books_alone": True, "ended": False,
    }  # fmt: skip
    return save_scheme(actor=HOUSE, at=AT, body=body | changes, request_id=None)


def test_a_complete_block_is_booked_as_intended_else_as_the_default_says_and_once() -> None:
    world = block_world()
    world.traded((1000, "72.50"))
    assert book_alone(at=AT) == 0  # nobody has said anything
    scheme(world, books_alone=False)
    assert book_alone(at=AT) == 0  # a person books this default
    scheme(world)
    assert (book_alone(at=AT), book_alone(at=AT)) == (1, 0)
    assert world.figures("C1") == {"C1": (D("-725.00"), D(1000))}
    assert (world.block.scheme, world.block.booked_by) == ("ALL", "process:allocations")
    world.prove()


def test_what_was_intended_comes_before_the_default_and_a_scheme_that_ended_is_none() -> None:
    world = block_world()
    order = world.traded((1000, "72.50"))
    scheme(world)
    scheme(world, ended=True)
    intended(world, order.order_id)
    assert book_alone(at=AT) == 0
    scheme(world)
    assert book_alone(at=AT) == 1
    assert {code: units for code, (_, units) in world.figures().items()} == {"C1": D(400), "C2": D(300), "C3": D(300)}


def test_what_cannot_be_booked_is_told_once_and_no_more_when_it_can() -> None:
    world = block_world()
    scheme(world, method="fixed", lines=[{"account": "C1", "qty": "900"}])
    world.traded((1000, "72.50"))
    assert (book_alone(at=AT), Allocation.objects.count()) == (0, 0)
    key = f"allocation-stands:{world.block.id}"
    assert is_raised(key)
    scheme(world)
    assert book_alone(at=AT) == 1
    assert not is_raised(key)


def test_a_wash_account_that_is_not_flat_after_its_cut_off_is_somebodys_matter() -> None:
    world = block_world()
    world.traded((1000, "72.50"))
    block = world.block
    key = f"wash-not-flat:{world.wash.account_id}:{block.trade_date}"
    assert (watch_wash(at=AT), is_raised(key)) == (0, False)
    after = AT + timedelta(days=5)
    assert (watch_wash(at=after), watch_wash(at=after), is_raised(key)) == (1, 1, True)
    scheme(world)
    assert book_alone(at=after) == 1
    assert (watch_wash(at=after), is_raised(key)) == (0, False)


def test_a_scheme_is_saved_by_request_in_order_and_by_processes_alone_without_one() -> None:
    world = block_world()
    assert scheme(world).version == 1
    with pytest.raises(InvariantBroken, match="SECOND_PERSON_MISSING"):
        save_scheme(actor=world.dealer, at=AT, body={"code": "ALL"}, request_id=None)
    body = {"code": "ALL", "wash_account": "", "desk": ""}
    with pytest.raises(NotApplied):
        save_scheme(actor=HOUSE, at=AT, body=body, request_id=None, version=0)
    assert scheme(world).version == 2
