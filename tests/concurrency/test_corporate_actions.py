"""Corporate actions killed at every step, carried out twice at once, and met by an order: each account booked exactly once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from accounts.models import ActionEntry, Holding
from journal.domain.chain import verify_chain
from journal.models import Event
from journal.selectors import stream_events
from kernel.ids import new_id
from orders.models import ActionOrder, OrderRequest
from orders.services.apply_corporate_actions import apply_corporate_actions
from orders.services.capture_order import capture_order
from risk.models import Block
from tests.concurrency.test_crash_points import killed_at
from tests.concurrency.threads import together
from tests.factories import AT, DeskWorld, give_stock, make_account, make_desk, terms
from tests.factories.actions import EX_MORNING, approved, decide, state_of, sweep
from tests.factories.books import book_openings

pytestmark = pytest.mark.django_db(transaction=True)
LATER = EX_MORNING + timedelta(hours=2)


@pytest.fixture
def world() -> DeskWorld:
    """Three accounts with 5,000, 75 and 9 shares and an order that nobody has sent."""
    world = make_desk()
    give_stock(world.account, world.listing, "5000")
    for code, qty in (("B", "75"), ("C", "9")):
        give_stock(make_account(code, group=world.group), world.listing, qty)
    book_openings()
    capture(world)
    return world


def capture(world: DeskWorld, **changes: Decimal) -> str:
    return capture_order(
        actor=world.dealer, at=AT, idempotency_key=str(new_id()), route="api", terms=terms(world, **changes), source="api"
    ).outcome  # fmt: skip


def held() -> list[Decimal]:
    return sorted(Holding.objects.values_list("settled", flat=True))


def require_whole(action_id: UUID, *, state: str, shares: list[int]) -> None:
    assert (state_of(action_id), held()) == (state, [Decimal(one) for one in shares])
    rounds = list(ActionEntry.objects.filter(action_id=action_id).order_by("round").values_list("round", "account_id"))
    assert len(set(rounds)) == len(rounds) == (3 if state == "applied" else 6)
    assert Block.objects.filter(source__startswith="corporate", lifted_at__isnull=True).count() == 0
    assert OrderRequest.objects.filter(kind="cancel").count() == ActionOrder.objects.filter(treatment="cancel").count()
    streams = Event.objects.values_list("stream", flat=True).distinct()
    assert all(verify_chain(stream_events(stream)) == [] for stream in streams)


@pytest.mark.parametrize(
    ("point", "before"),
    [
        ("action.begun", 0),
        ("action.planned", 1),
        ("action.canceled", 1),
        ("action.account_written", 1),
        ("action.account_booked", 1),
        ("action.finished", 2),
    ],
)
def test_an_action_killed_anywhere_is_carried_out_once(world: DeskWorld, point: str, before: int) -> None:
    action_id = approved("split", ratio_new="3", ratio_old="2")
    at = sweep(turns=before, step_s=3)
    killed_at(point, lambda: apply_corporate_actions(at=at + timedelta(seconds=5 * (point == "action.finished"))))
    sweep(at + timedelta(seconds=10))
    require_whole(action_id, state="applied", shares=[13, 112, 7500])


def test_an_undo_killed_between_accounts_gives_each_back_once(world: DeskWorld) -> None:
    action_id = approved("split", ratio_new="3", ratio_old="2")
    sweep()
    decide(action_id, "undo", at=LATER)
    killed_at("action.account_reversed", lambda: apply_corporate_actions(at=LATER))
    assert held() == [Decimal(13), Decimal(112), Decimal(7500)]
    sweep(LATER)
    require_whole(action_id, state="undone", shares=[9, 75, 5000])


def test_two_at_once_book_each_account_once(world: DeskWorld) -> None:
    action_id = approved("split", ratio_new="3", ratio_old="2")
    at = sweep(turns=1)
    assert [one for one in together([lambda: apply_corporate_actions(at=at)] * 2) if isinstance(one, Exception)] == []
    sweep(at)
    require_whole(action_id, state="applied", shares=[13, 112, 7500])


def test_an_order_that_meets_an_action_is_refused_or_canceled_and_holds_nothing_afterwards(world: DeskWorld) -> None:
    action_id = approved("split", ratio_new="3", ratio_old="2")

    def work() -> str:
        sweep(turns=1)  # what comes after is five seconds later at least, when these captures are long committed
        return ""

    outcomes = together([*([lambda: capture(world)] * 4), work])
    sweep(EX_MORNING + timedelta(seconds=10))
    assert {one for one in outcomes if one} <= {"released", "refused"}
    require_whole(action_id, state="applied", shares=[13, 112, 7500])
    assert set(Holding.objects.values_list("reserved", flat=True)) == {Decimal(0)}
    assert not world.listing.order_set.filter(is_open=True).exists()
