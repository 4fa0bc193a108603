"""A block is booked by what was said before it traded, or by two people; and every view of the books says the same after each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from allocations.models import Allocation, IntendedAllocation
from allocations.services.book_allocation import BookedAllocation, book_allocation
from allocations.services.decide_allocation import decide_allocation
from allocations.services.rebook_allocation import rebook_allocation
from authorisation.models import AuthorisationRequest
from journal.models import Event
from kernel.errors import Conflict, Invalid, NotFound, NotPermitted, OmsError, Refused
from kernel.fix import ExecType, OrdStatus
from kernel.ids import new_id
from tests.factories import AT
from tests.factories.blocks import HOUSE, BlockWorld, block_world

pytestmark = pytest.mark.django_db
D = Decimal
LINES = [{"account": "C1", "target": "400"}, {"account": "C2", "target": "300"}, {"account": "C3", "target": "300"}]


@pytest.fixture
def world() -> BlockWorld:
    return block_world()


def intended(
    world: BlockWorld, order_id: Any, lines: Sequence[dict[str, str]] = LINES, method: str = "pro_rata"
) -> None:
    IntendedAllocation.objects.create(
        order_id=order_id, version=1, method=method, lines=list(lines), parameters={}, stamped_by="t", stamped_at=AT,
        event_id=new_id(),
    )  # fmt: skip


def book(world: BlockWorld, **changes: Any) -> BookedAllocation:
    asked: dict[str, Any] = {
        "actor": world.dealer, "at": AT, "idempotency_key": "b1", "block_ref": world.block.ref, "method": "pro_rata",
        "lines": LINES,
    }  # fmt: skip
    return book_allocation(**(asked | changes))


def decided(world: BlockWorld, verdict: str = "approve") -> str:
    request = AuthorisationRequest.objects.latest("created_at")
    done = decide_allocation(
        actor=world.compliance, at=AT, authorisation_id=request.id, verdict=verdict, reason_code="checked",
        reason="looked at it", payload_hash=request.payload_hash,
    )  # fmt: skip
    return done.outcome


def test_what_was_intended_is_booked_at_once_to_the_minor_unit(world: BlockWorld) -> None:
    order = world.traded((400, "72.40"), (600, "72.47"))
    intended(world, order.order_id)

    done = book(world)

    assert (done.outcome, done.round, done.lines, done.parked, done.rounding) == ("booked", 1, 3, 0, D("0.01"))
    # 289.60 and 434.82 booked are 724.42; at 72.442 pence 289.77 and twice 217.33 are 724.43.
    assert world.figures() == {
        "C1": (D("-289.77"), D(400)), "C2": (D("-217.33"), D(300)), "C3": (D("-217.33"), D(300)),
    }  # fmt: skip
    assert world.of(world.wash.account) == (D(0), D(0))
    block = world.block
    assert (block.state, block.round, block.allocated_qty, block.allocated_cash) == ("booked", 1, D(1000), D("-724.42"))
    world.prove()

    again = book(world)
    assert again == done
    assert Allocation.objects.count() == 4
    with pytest.raises(Conflict, match="IDEMPOTENCY_CONFLICT"):
        book(world, reason="another")


def test_another_division_needs_a_reason_and_compliance_and_is_booked_by_their_word(world: BlockWorld) -> None:
    order = world.traded((1000, "72.50"))
    intended(world, order.order_id)
    other = [{"account": "C1", "target": "1000"}]
    with pytest.raises(Invalid, match="REASON_MISSING"):
        book(world, lines=other)
    assert not AuthorisationRequest.objects.exists()

    asked = book(world, lines=other, reason="C2 and C3 withdrew")

    assert (asked.outcome, [why.code for why in asked.whys]) == ("pending_authorisation", ["NOT_AS_INTENDED"])
    assert (Allocation.objects.count(), world.block.state) == (0, "ready")
    with pytest.raises(Conflict, match="ALLOCATION_WAITS"):
        book(world, idempotency_key="b2")
    request = AuthorisationRequest.objects.get()
    assert request.id == asked.authorisation_id
    with pytest.raises(NotPermitted):
        decide_allocation(
            actor=world.dealer, at=AT, authorisation_id=request.id, verdict="approve", reason_code="x",
            reason="x", payload_hash=request.payload_hash,
        )  # fmt: skip
    assert decided(world) == "applied"
    assert world.figures("C1") == {"C1": (D("-725.00"), D(1000))}
    world.prove()


def test_a_declined_one_changes_nothing_and_another_may_be_asked(world: BlockWorld) -> None:
    world.traded((1000, "72.50"))
    asked = book(world, reason="first")
    assert [why.code for why in asked.whys] == ["NOT_SAID_BEFORE"]
    assert decided(world, "decline") == "declined"
    assert (Allocation.objects.count(), world.block.request_id) == (0, None)
    assert book(world, idempotency_key="b2", reason="again").outcome == "pending_authorisation"


def test_an_approval_of_what_has_changed_since_is_not_applied(world: BlockWorld) -> None:
    order = world.traded((400, "72.40"))
    book(world, reason="early")
    world.says(order, ExecType.TRADE, OrdStatus.FILLED, last_qty=D(600), last_px=D("72.50"))
    assert decided(world) == "not_applied"
    assert (Allocation.objects.count(), world.block.request_id) == (0, None)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"method": "guess"}, "METHOD_UNKNOWN"),
        ({"lines": [{"account": "NOBODY", "target": "1"}]}, "LINES_INVALID"),
        ({"lines": [{"account": "TOLD-EQ1", "target": "1"}]}, "LINES_INVALID"),
        ({"method": "fixed", "lines": [{"account": "C1", "qty": "900"}]}, "BLOCK_ABOVE_TARGETS"),
        ({"parameters": {"lots": "1"}}, "PARAMETERS_INVALID"),
        ({"scheme": "NONE", "lines": []}, "SCHEME_UNKNOWN"),
        ({"preview_hash": "0" * 64}, "PREVIEW_STALE"),
        ({"block_ref": "B-999"}, "BLOCK_UNKNOWN"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(world: BlockWorld, changes: dict[str, Any], error: str) -> None:
    world.traded((1000, "72.50"))
    events = Event.objects.count()
    with pytest.raises(OmsError) as raised:
        book(world, **changes)
    assert raised.value.code == error
    assert (Event.objects.count(), Allocation.objects.count(), AuthorisationRequest.objects.count()) == (events, 0, 0)


def test_who_may_not_or_does_not_see(world: BlockWorld) -> None:
    world.traded((1000, "72.50"))
    with pytest.raises(NotPermitted, match="RIGHT_MISSING"):
        book(world, actor=world.desk.dealer)
    with pytest.raises(NotFound, match="BLOCK_UNKNOWN"):
        book(world, actor=replace(world.dealer, grants={}))
    with pytest.raises(Refused, match="PERSON_NEEDED"):
        book(world, actor=HOUSE)


def test_a_bust_and_a_late_trade_are_booked_anew_and_nothing_of_the_old_is_left(world: BlockWorld) -> None:
    order = world.traded((400, "72.40"), (600, "72.47"))
    intended(world, order.order_id)
    book(world)
    world.bust(order, 11)
    assert world.block.state == "changed"

    done = rebook_allocation(actor=HOUSE, at=AT, block_id=world.block.id, why="bust of X11")

    assert done is not None
    assert (done.round, done.booked, done.reversed) == (2, 3, 4)
    assert world.figures() == {
        "C1": (D("-173.93"), D(240)), "C2": (D("-130.45"), D(180)), "C3": (D("-130.45"), D(180)),
    }  # fmt: skip
    assert world.of(world.wash.account) == (D(0), D(0))
    world.prove()
    assert rebook_allocation(actor=HOUSE, at=AT, block_id=world.block.id, why="again") is None

    world.bust(order, 12)
    rebook_allocation(actor=HOUSE, at=AT, block_id=world.block.id, why="bust of X12")
    assert (world.block.state, world.block.allocated_qty) == ("dissolved", D(0))
    assert set(world.figures().values()) == {(D(0), D(0))}
    assert world.of(world.wash.rounding_account)[0] == D(0)
    world.prove()
