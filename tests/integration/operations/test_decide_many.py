"""Many at once: each by itself, only what would go through, and every outcome by name."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from authorisation.models import AuthorisationRequest, Decision
from journal.models import Event
from kernel.errors import Invalid
from kernel.ids import new_id
from operations.services.decide_many import One, OneDecided, decide_many
from operations.services.try_decision import try_decision
from orders.models import OrderRequest
from orders.services.capture_order import capture_order
from tests.factories import AT, DeskWorld, make_desk, terms
from tests.factories.authorisation import principal

pytestmark = pytest.mark.django_db
LATER = AT + timedelta(seconds=5)


@pytest.fixture
def world() -> DeskWorld:
    return make_desk(cash="10000000")


def held(world: DeskWorld, n: int, qty: int) -> One:
    result = capture_order(
        actor=world.dealer,
        at=AT,
        idempotency_key=f"k{n}",
        route="ticket",
        source="ticket",
        terms=terms(world, order_qty=Decimal(qty)),
    )
    assert result.authorisation_id is not None, result.checks
    return One(result.authorisation_id, AuthorisationRequest.objects.get(pk=result.authorisation_id).payload_hash)


def many(world: DeskWorld, items: list[One], verdict: str = "approve", **changes: Any) -> list[OneDecided]:
    values: dict[str, Any] = {"actor": world.checker, "kind": "order_request", "reason_code": "X", "reason": "x"}
    return list(decide_many(**{**values, **changes}, at=LATER, items=items, verdict=verdict))


def states() -> list[str]:
    return list(AuthorisationRequest.objects.order_by("id").values_list("state", flat=True))


def test_each_is_decided_by_itself(world: DeskWorld) -> None:
    items = [held(world, n, 55_000 + n) for n in range(3)]
    moved, gone = One(items[1].authorisation_id, "0" * 64), One(new_id(), "0" * 64)
    done = many(world, [items[0], moved, gone, items[2]])
    assert [(one.outcome, one.code) for one in done] == [
        ("applied", ""), ("left", "NOT_GREEN"), ("refused", "AUTHORISATION_UNKNOWN"), ("applied", ""),
    ]  # fmt: skip
    assert done[1].sentence == "What you looked at is not what waits for a decision. Review it again."
    assert states() == ["approved", "pending", "approved"]
    assert set(OrderRequest.objects.values_list("state", flat=True)) == {"released", "pending_authorisation"}


def test_what_would_not_go_through_is_left_as_it_was(world: DeskWorld) -> None:
    one = held(world, 1, 55_000)
    OrderRequest.objects.update(checks=[])  # as if everything had passed when it was shown: now a check answers worse
    events = Event.objects.count()
    (done,) = many(world, [one])
    assert (done.outcome, done.code) == ("left", "NOT_GREEN")
    assert done.sentence.startswith("A check answers worse than when it was shown")
    assert (states(), Decision.objects.count(), Event.objects.count()) == (["pending"], 0, events)


def test_a_dry_run_keeps_nothing(world: DeskWorld) -> None:
    one = held(world, 1, 55_000)
    before = Event.objects.count(), states(), str(list(OrderRequest.objects.values()))
    assert not try_decision(
        actor=world.checker, at=LATER, authorisation_id=one.authorisation_id, payload_hash=one.payload_hash
    )
    why = try_decision(actor=world.dealer, at=LATER, authorisation_id=one.authorisation_id, payload_hash="")
    assert why == "You are the maker; a second person must decide."
    assert (Event.objects.count(), states(), str(list(OrderRequest.objects.values()))) == before


def test_ones_own_are_left_and_declining_needs_no_dry_run(world: DeskWorld) -> None:
    items = [held(world, n, 55_000 + n) for n in range(2)]
    assert [one.outcome for one in many(world, items, actor=world.dealer)] == ["left", "left"]
    OrderRequest.objects.update(checks=[])
    assert [one.outcome for one in many(world, items, "decline")] == ["declined", "declined"]
    assert states() == ["declined", "declined"]


def ids(count: int) -> list[One]:
    return [One(new_id(), "x") for _ in range(count)]


@pytest.mark.parametrize(
    ("items", "changes"),
    [([], {}), (ids(21), {}), (ids(1) * 2, {}), (ids(1), {"kind": "unheard_of"}), (ids(1), {"verdict": "perhaps"})],
)
def test_what_cannot_be_asked_for(world: DeskWorld, items: list[One], changes: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        many(world, items, **changes)


def test_another_kind_or_desk_is_not_touched(world: DeskWorld) -> None:
    one = held(world, 1, 55_000)
    (other,) = many(world, [one], kind="suspense")
    assert (other.outcome, other.code) == ("left", "OTHER_KIND")
    (far,) = many(world, [one], actor=principal("far", rights=("release_order",), desks=("D9",)))
    assert (far.outcome, far.code) == ("refused", "AUTHORISATION_UNKNOWN")
    assert states() == ["pending"]
    assert isinstance(one.authorisation_id, UUID)
