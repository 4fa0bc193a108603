"""A block is booked once, whoever books it at the same instant, beside its own cascade, beside orders of its accounts; killed at
any step it is booked wholly or not at all, and the same call again ends it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Booking, Holding, TradingAccount
from allocations.models import Allocation
from allocations.services.book_allocation import BookedAllocation
from allocations.services.cascade_blocks import cascade_blocks
from allocations.services.rebook_allocation import rebook_allocation
from allocations.services.release_parked import release_parked
from journal.models import Event, IdempotencyKey
from kernel.errors import Invalid
from orders.domain.results import CaptureResult
from orders.models import Order
from orders.services.capture_order import capture_order
from tests.concurrency.test_crash_points import chains_hold, killed_at
from tests.concurrency.threads import together
from tests.factories import AT, make_principal, terms
from tests.factories.blocks import HOUSE, BlockWorld, block_world
from tests.integration.allocations.test_book_allocation import book, intended

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal


@pytest.fixture
def world() -> BlockWorld:
    """A block that traded as somebody was meant to get it."""
    made = block_world()
    order = made.traded((400, "72.40"), (600, "72.47"))
    intended(made, order.order_id)
    return made


def standing() -> int:
    return Allocation.objects.filter(state="booked", is_rounding=False).count()


def test_two_persons_at_the_same_instant_book_it_once(world: BlockWorld) -> None:
    other = make_principal("dealer-2", role="dealer", rights=(), desks=(world.desk.desk,), groups=(world.desk.group,))
    other = replace(other, rights=world.dealer.rights)

    done = together(
        [lambda: book(world, idempotency_key="a"), lambda: book(world, idempotency_key="b", actor=other)] * 2
    )

    booked = [one for one in done if isinstance(one, BookedAllocation)]
    refused = [one for one in done if isinstance(one, Invalid)]
    assert (len(booked), len(refused)) == (2, 2), done  # each key twice: one of them is the booking, both times
    assert booked[0] == booked[1]
    assert {one.code for one in refused} == {"REASON_MISSING"}  # it is booked: another division needs a second person
    assert (standing(), world.block.round, IdempotencyKey.objects.filter(route="allocation").count()) == (3, 1, 1)
    assert sorted(world.figures().values()) == [(D("-289.77"), D(400)), (D("-217.33"), D(300)), (D("-217.33"), D(300))]
    assert chains_hold()


def test_a_booking_beside_the_cascade_of_the_same_block(world: BlockWorld) -> None:
    """Whoever is first: the block is its lines, and nothing is booked twice."""
    book(world)
    world.bust(_order(world), 11)

    done = together(
        [
            lambda: cascade_blocks(at=AT),
            lambda: book(world, idempotency_key="b", reason="as the rest is"),
            lambda: cascade_blocks(at=AT),
        ]
    )

    assert [one for one in done if isinstance(one, Exception)] == [], done
    assert sum(one for one in done if isinstance(one, int)) >= 1
    block = world.block
    assert (block.state, block.round, block.allocated_qty, block.allocated_cash) == ("booked", 2, block.qty, block.cash)
    assert Event.objects.filter(kind="AllocationReversed").count() == 1
    world.prove()


def _order(world: BlockWorld) -> CaptureResult:
    """The order of the block, as its capture answered."""
    row = Order.objects.get(account=world.desk.account)
    return CaptureResult(row.id, row.ref, row.id, str(row.cl_ord_id), "", "", ())


def test_a_booking_beside_orders_of_its_accounts_waits_for_no_one_that_waits(world: BlockWorld) -> None:
    def order(account: str, key: str) -> Any:
        return capture_order(
            actor=world.dealer, at=AT, idempotency_key=key, route="api", source="api",
            terms=terms(world.desk, account=account, order_qty=D(10)),
        )  # fmt: skip

    works: list[Any] = [lambda: book(world)]
    works += [lambda code=code: [order(code, f"{code}{n}") for n in range(4)] for code in ("C1", "C2", "C3")]
    done = together(works)

    assert [one for one in done if isinstance(one, Exception)] == [], done
    assert standing() == 3
    assert chains_hold()
    assert {row.pending for row in Holding.objects.filter(account__code__in=["C1", "C2", "C3"])} == {D(400), D(300)}


def test_a_booking_killed_is_there_wholly_or_not_at_all(world: BlockWorld) -> None:
    def told() -> tuple[int, int, int, int]:
        keys = IdempotencyKey.objects.filter(route="allocation").count()
        return standing(), Booking.objects.count(), Event.objects.filter(kind="AllocationBooked").count(), keys

    nothing = told()
    for point in ("round.undone", "round.told", "round.booked"):
        killed_at(point, lambda: book(world))
        assert told() == nothing, point
    killed_at("allocation.committed", lambda: book(world))
    done = told()
    assert (done[0], done[2], done[3], done[1] > nothing[1]) == (3, 1, 1, True)
    answer = book(world)  # the same call again: its answer was kept with it
    assert (answer.outcome, answer.lines, told(), world.block.round) == ("booked", 3, done, 1)
    world.prove()


def test_a_booking_anew_killed_leaves_what_stood(world: BlockWorld) -> None:
    """Also between its undoing and its booking: nobody is left with nothing."""
    book(world)
    world.bust(_order(world), 11)
    stood = world.figures()

    def again() -> Any:
        return rebook_allocation(actor=HOUSE, at=AT, block_id=world.block.id, why="busted")

    for point in ("round.undone", "round.told:2", "round.booked:2"):
        killed_at(point, again)
        assert (world.figures(), standing(), world.block.state) == (stood, 3, "changed"), point
    assert (again().round, world.block.state) == (2, "booked")
    world.prove()


def test_a_release_killed_leaves_the_share_in_suspense(world: BlockWorld) -> None:
    TradingAccount.objects.filter(code="C3").update(state="frozen")
    assert book(world).parked == 1
    TradingAccount.objects.filter(code="C3").update(state="active")
    ref = Allocation.objects.get(state="parked").ref

    def release() -> Any:
        return release_parked(actor=world.dealer, at=AT, allocation_ref=ref)

    for point in ("round.told", "round.booked", "parked.released"):
        killed_at(point, release)
        assert Allocation.objects.get(account__code="C3", is_rounding=False).state == "parked", point
    assert release().state == "booked"
    assert world.figures("C3") == {"C3": (D("-217.33"), D(300))}
    assert chains_hold()
