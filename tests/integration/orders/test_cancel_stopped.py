"""A stop ends what is in its scope and nothing else: queued, held, staged, on its way, at the venue, phoned."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import CashBalance, Reservation
from authorisation.domain.principal import process_principal
from authorisation.models import AuthorisationRequest
from authorisation.services.withdraw_request import withdraw_request
from authorisation.services.withdraw_requests import withdraw_requests
from journal.domain.chain import verify_chain
from journal.models import Event
from journal.selectors import stream_events
from journal.services.run_listener import run_listener
from kernel.errors import Conflict, NotFound, NotPermitted
from kernel.fix import ExecType, OrdStatus, Side
from kernel.ids import new_id
from operations.fsck.prove import prove_one
from operations.fsck.snapshot import snapshot_of_transaction
from operations.fsck.usage import CHECKS as USAGE_CHECKS
from orders.domain.stopping import MOST_ASKED, Proof
from orders.domain.terms import ReplaceTerms
from orders.models import KillSweep, Order, OrderRequest, StoppedOrder
from orders.selectors.stopping import ProofCounts, count_reach, list_proof, list_proof_counts
from orders.services import on_kill_switch
from orders.services._stopping import Ending, end_orders
from orders.services.apply_reports import apply_reports
from orders.services.cancel_order import cancel_order
from orders.services.cancel_stopped import cancel_stopped
from orders.services.capture_order import capture_order
from orders.services.enter_staged import enter_staged
from orders.services.record_hand_over import record_hand_over
from orders.services.record_phoned_order import record_phoned_order
from orders.services.replace_order import replace_order
from orders.services.stage_replace import stage_replace
from orders.services.tell_unproven import tell_unproven
from risk.models import Block
from risk.services.engage_kill_switch import engage_kill_switch
from tests.factories import AT, DeskWorld, make_desk, make_listing, make_market, terms
from tests.integration.orders.test_apply_reports import report
from tests.integration.orders.test_staged import sound
from tests.integration.orders.test_venue_rules import working

pytestmark = pytest.mark.django_db
D = Decimal
LATER = AT + timedelta(seconds=5)
WHY = Ending("TEST", "Ended by a test.", "test", "test", "process:test", 0)


@pytest.fixture
def world() -> DeskWorld:
    return make_desk(cash="10000000")


def buy(world: DeskWorld, **changes: object) -> Order:
    """Released and not sent, unless it must wait for a second person."""
    result = capture_order(
        actor=world.dealer,
        at=AT,
        idempotency_key=str(new_id()),
        route="ticket",
        terms=terms(world, **changes),
        source="api",
    )
    assert result.outcome in ("released", "pending_authorisation"), result.checks
    return Order.objects.get(id=result.order_id)


def press(scope: str = "firm", scope_id: str = "") -> UUID:
    """The stop, heard of by orders."""
    actor = process_principal("test")
    pressed = engage_kill_switch(actor=actor, at=AT, scopes=[(scope, scope_id)], reason="Runaway orders")
    kinds = ("KillSwitchEngaged", "KillSwitchReleased")
    run_listener(name="orders.kill_switch", kinds=kinds, handle=on_kill_switch.handle, at=AT)
    return pressed.stops[0].stop_id


def sweep(times: int = 1, *, from_s: int = 10, every_s: int = 2) -> list[int]:
    return [cancel_stopped(at=AT + timedelta(seconds=from_s + every_s * n)) for n in range(times)]


def proof(stop_id: UUID) -> ProofCounts:
    return list_proof_counts(sweep_ids=[stop_id])[stop_id]


def cancels(order: Order) -> list[str]:
    return list(OrderRequest.objects.filter(order=order, kind="cancel").order_by("seq").values_list("state", flat=True))


def usage_holds() -> bool:
    """What limits count of the orders is what the orders come to."""
    snapshot = snapshot_of_transaction(at=LATER)
    outcomes = [prove_one(snapshot, check) for check in USAGE_CHECKS]
    return all(outcome is not None and outcome.holds for outcome in outcomes)


# Scopes


@pytest.fixture
def other(world: DeskWorld) -> DeskWorld:
    """Another desk, dealer, client, account, instrument and venue."""
    make_listing("MSFT", last="400", price_unit="USD", market=make_market("XNAS", "GBP"))
    return make_desk("EQ2", cash="10000000", symbol="MSFT")


@pytest.mark.parametrize("scope", ["firm", "desk", "dealer", "client", "account", "strategy", "instrument", "venue"])
def test_a_stop_reaches_its_scope_and_nothing_outside(world: DeskWorld, other: DeskWorld, scope: str) -> None:
    inside = buy(world, strategy="VWAP")
    record_hand_over(request_ids=[inside.requests.get().id], at=AT)
    outside = buy(other, price=D("400"), order_qty=D(10), strategy="TWAP")
    scope_id = {
        "firm": "",
        "desk": str(world.desk.pk),
        "dealer": str(world.dealer.user_id),
        "client": str(world.account.client_id),
        "account": str(world.account.pk),
        "strategy": "VWAP",
        "instrument": str(world.listing.instrument_id),
        "venue": "XLON",
    }[scope]
    reach = count_reach(scope=scope, scope_id=scope_id)
    assert (reach.working, reach.queued) == ((1, 1) if scope == "firm" else (1, 0))
    stop_id = press(scope, scope_id)
    assert sweep() == [2 if scope == "firm" else 1]
    outside.refresh_from_db()
    assert cancels(inside) == ["released"]
    assert outside.is_open is (scope != "firm")
    assert proof(stop_id).reached == (2 if scope == "firm" else 1)


# States


def test_what_was_not_sent_ends_here_and_lets_go_what_it_held(world: DeskWorld) -> None:
    order = buy(world)
    assert CashBalance.objects.get().reserved == D("725.00")
    stop_id = press()
    assert sweep(2) == [1, 0]
    order.refresh_from_db()
    request = order.requests.get()
    assert (request.state, request.outcome_code) == ("refused", "KILL_SWITCH")
    assert request.outcome_text == "Stopped by the kill switch (the whole firm): Runaway orders"
    assert (order.is_open, order.leaves_qty, order.request_state) == (False, D(0), "refused")
    assert CashBalance.objects.get().reserved == 0
    assert proof(stop_id).of(Proof.NEVER_SENT) == 1
    assert sound()
    assert usage_holds()


def test_what_waits_for_a_second_person_ends_with_a_reason(world: DeskWorld) -> None:
    order = buy(world, order_qty=D(60_000))
    asked = AuthorisationRequest.objects.get()
    press()
    sweep()
    order.refresh_from_db()
    asked.refresh_from_db()
    assert (order.requests.get().state, order.is_open) == ("refused", False)
    assert (asked.state, asked.outcome) == ("withdrawn", "Stopped by the kill switch (the whole firm): Runaway orders")
    assert CashBalance.objects.get().reserved == 0
    assert sound()
    assert usage_holds()


def test_waiting_approvals_end_in_as_many_statements_however_many_they_are(world: DeskWorld) -> None:
    def statements(waiting: int) -> int:
        for _ in range(waiting):
            buy(world, order_qty=D(60_000))
        with CaptureQueriesContext(connection) as asked:
            end_orders(WHY, list(Order.objects.filter(is_open=True).values_list("id", flat=True)), at=LATER)
        return len(asked)

    end_orders(WHY, [buy(world, order_qty=D(60_000)).id], at=LATER)  # what is prepared once
    assert statements(1) == statements(4)
    assert list(AuthorisationRequest.objects.values_list("state", flat=True)) == ["withdrawn"] * 6
    assert Event.objects.filter(kind="AuthorisationWithdrawn").count() == 6
    assert all(
        verify_chain(stream_events(f"authorisation:{one.id}")) == [] for one in AuthorisationRequest.objects.all()
    )
    assert CashBalance.objects.get().reserved == 0
    assert sound()


def test_a_closed_approval_is_not_withdrawn_and_takes_the_others_with_it(world: DeskWorld) -> None:
    for _ in range(2):
        buy(world, order_qty=D(60_000))
    first, second = AuthorisationRequest.objects.order_by("id")
    process = process_principal("test")
    withdraw_request(actor=process, at=AT, authorisation_id=second.id)
    with pytest.raises(Conflict, match="AUTHORISATION_CLOSED"):
        withdraw_requests(actor=process, at=AT, authorisation_ids=[first.id, second.id], reason="x")
    with pytest.raises(NotFound):
        withdraw_requests(actor=process, at=AT, authorisation_ids=[first.id, new_id()], reason="x")
    with pytest.raises(NotPermitted, match="NOT_A_PROCESS"):
        withdraw_requests(actor=world.dealer, at=AT, authorisation_ids=[first.id], reason="x")
    assert AuthorisationRequest.objects.get(id=first.id).state == "pending"
    assert Event.objects.filter(kind="AuthorisationWithdrawn").count() == 1


def test_a_replace_on_its_way_out_ends_and_the_order_is_canceled(world: DeskWorld) -> None:
    result = working(world)
    replace_order(
        actor=world.dealer, at=AT + timedelta(seconds=2), idempotency_key="r", route="api", order_id=result.order_id,
        terms=ReplaceTerms(order_qty=D(1500)),
    )  # fmt: skip
    assert CashBalance.objects.get().reserved == D("1087.50")
    press()
    sweep()
    order = Order.objects.get(id=result.order_id)
    assert list(order.requests.order_by("seq").values_list("kind", "state")) == [
        ("new", "accepted"), ("replace", "refused"), ("cancel", "released"),
    ]  # fmt: skip
    assert CashBalance.objects.get().reserved == D("725.00")
    assert order.is_open
    assert sound()
    assert usage_holds()


def test_a_staged_replace_is_not_entered_anew(world: DeskWorld) -> None:
    result = working(world, replaceable=frozenset({"order_qty"}))
    stage_replace(
        actor=world.dealer, at=LATER, idempotency_key="s", route="ticket", order_id=result.order_id,
        terms=ReplaceTerms(order_qty=D(1200), price=D("72.40")),
    )  # fmt: skip
    record_hand_over(request_ids=[OrderRequest.objects.get(kind="cancel").id], at=LATER)
    stop_id = press()
    assert sweep() == [1]
    order = Order.objects.get()
    assert cancels(order) == ["handed_over"]
    assert order.requests.get(kind="replace").outcome_code == "KILL_SWITCH"
    apply_reports(
        reports=[report(result, 9, ExecType.CANCELED, OrdStatus.CANCELED, cum_qty=D(0), leaves_qty=D(0))], at=LATER
    )
    assert enter_staged(at=LATER + timedelta(seconds=9)) == 0
    assert Order.objects.count() == 1
    assert CashBalance.objects.get().reserved == 0
    assert proof(stop_id).of(Proof.CANCELED) == 1
    assert sound()
    assert usage_holds()


def test_a_staged_replace_of_an_order_that_is_over_already_ends_too(world: DeskWorld) -> None:
    result = working(world, replaceable=frozenset({"order_qty"}))
    stage_replace(
        actor=world.dealer, at=LATER, idempotency_key="s", route="ticket", order_id=result.order_id,
        terms=ReplaceTerms(order_qty=D(1200), price=D("72.40")),
    )  # fmt: skip
    record_hand_over(request_ids=[OrderRequest.objects.get(kind="cancel").id], at=LATER)
    apply_reports(
        reports=[report(result, 9, ExecType.CANCELED, OrdStatus.CANCELED, cum_qty=D(0), leaves_qty=D(0))], at=LATER
    )
    press()
    sweep()
    assert enter_staged(at=LATER + timedelta(seconds=9)) == 0
    order = Order.objects.get()
    assert (order.requests.get(kind="replace").state, Reservation.objects.filter(cash__gt=0).count()) == ("refused", 0)
    assert sound()
    assert usage_holds()


def test_a_cancel_under_way_is_not_chased_by_a_second(world: DeskWorld) -> None:
    result = working(world)
    cancel_order(
        actor=world.dealer, at=LATER, idempotency_key="c", route="api", order_id=result.order_id, reason="client"
    )
    stop_id = press()
    assert sweep(3) == [1, 0, 0]
    order = Order.objects.get()
    assert cancels(order) == ["released"]
    assert StoppedOrder.objects.get().found == "cancel_under_way"
    assert proof(stop_id).of(Proof.TO_SEND) == 1


def test_a_phoned_order_is_named_as_one_to_phone_about(world: DeskWorld) -> None:
    record_phoned_order(
        actor=world.dealer, at=AT, account=world.account.code, symbol="VOD.L", side=Side.BUY, session_group="SIM1",
        venue_order_id="P1",
    )  # fmt: skip
    stop_id = press()
    assert sweep(2) == [1, 0]
    rows = list_proof(actor=world.dealer, sweep_id=stop_id, limit=10)
    assert [(row.proof, row.venue_order_id, row.session_group) for row in rows] == [(Proof.BY_PHONE, "P1", "SIM1")]
    assert proof(stop_id).unproven == 1


# The venue's word


@pytest.mark.parametrize(
    ("exec_type", "status", "fields", "expected"),
    [
        (ExecType.CANCELED, OrdStatus.CANCELED, {"cum_qty": D(0), "leaves_qty": D(0)}, Proof.CANCELED),
        (ExecType.TRADE, OrdStatus.FILLED, {"last_qty": D(1000), "last_px": D("72.5")}, Proof.FILLED),
        (ExecType.EXPIRED, OrdStatus.EXPIRED, {"cum_qty": D(0), "leaves_qty": D(0)}, Proof.OVER),
    ],
)
def test_only_the_venues_word_proves(
    world: DeskWorld, exec_type: ExecType, status: OrdStatus, fields: dict[str, Decimal], expected: Proof
) -> None:
    result = working(world)
    stop_id = press()
    sweep()
    assert (proof(stop_id).of(Proof.TO_SEND), proof(stop_id).unproven) == (1, 1)
    record_hand_over(request_ids=[OrderRequest.objects.get(kind="cancel").id], at=LATER)
    assert (proof(stop_id).of(Proof.WAITING), proof(stop_id).unproven) == (1, 1)
    apply_reports(reports=[report(result, 9, exec_type, status, **fields)], at=LATER)
    counts = proof(stop_id)
    assert (counts.of(expected), counts.unproven, counts.last_sent_at) == (1, 0, LATER)
    row = list_proof(actor=world.dealer, sweep_id=stop_id, limit=10)[0]
    assert (row.is_proven, row.filled_since) == (True, fields.get("last_qty", D(0)))


def test_a_cancel_the_venue_refuses_is_asked_for_three_times_and_then_named(world: DeskWorld) -> None:
    result = working(world)
    stop_id = press()
    for time in range(6):
        cancel_stopped(at=AT + timedelta(minutes=time + 1))
        flying = OrderRequest.objects.filter(kind="cancel", state="released").first()
        if flying is None:
            break
        record_hand_over(request_ids=[flying.id], at=AT + timedelta(minutes=time + 1))
        refused = report(
            result, 10 + time, ExecType.NEW, OrdStatus.NEW, msg_type="9", exec_type=None, exec_id="", reject_code="2",
            cl_ord_id=flying.cl_ord_id, orig_cl_ord_id=result.cl_ord_id, text="Not now",
        )  # fmt: skip
        apply_reports(reports=[refused], at=AT + timedelta(minutes=time + 1))
    assert cancels(Order.objects.get()) == ["rejected"] * MOST_ASKED
    row = list_proof(actor=world.dealer, sweep_id=stop_id, limit=10)[0]
    assert (row.proof, row.asked, row.is_proven) == (Proof.REFUSED, MOST_ASKED, False)
    assert proof(stop_id).unproven == 1


# Passes, scopes upon scopes, release


def test_what_slips_in_beside_the_press_is_found_by_the_next_pass(world: DeskWorld) -> None:
    first = buy(world)
    stop_id = press()
    assert sweep() == [1]
    late = Order.objects.create(**{**_columns(first), "id": new_id(), "ref": "O-LATE", "is_open": True})
    OrderRequest.objects.create(
        id=new_id(), order=late, seq=1, kind="new", state="released", cl_ord_id="LATE", payload={}, maker="user:1",
        maker_id=1, captured_at=AT,
    )  # fmt: skip
    assert proof(stop_id).to_reach == 1
    assert cancel_stopped(at=AT + timedelta(seconds=10, milliseconds=500)) == 0  # the next pass is not due
    assert sweep(from_s=12) == [1]
    assert (proof(stop_id).to_reach, OrderRequest.objects.get(order=late).state) == (0, "refused")


def _columns(order: Order) -> dict[str, object]:
    skipped = {"last_event_seq", "last_event_hash", "version"}
    values = {f.attname: getattr(order, f.attname) for f in Order._meta.concrete_fields if f.attname not in skipped}
    return values | {"leaves_qty": D(1000), "request_state": "released"}


def test_two_stops_name_the_order_each_and_cancel_it_once(world: DeskWorld) -> None:
    working(world)
    firm, desk = press(), press("desk", str(world.desk.pk))
    assert sweep() == [2]
    assert cancels(Order.objects.get()) == ["released"]
    assert [proof(one).reached for one in (firm, desk)] == [1, 1]
    assert sorted(StoppedOrder.objects.values_list("found", flat=True)) == ["cancel_under_way", "working"]


def test_many_orders_are_worked_in_slices_and_all_of_them(world: DeskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.services.cancel_stopped.SLICE", 3)
    orders = [buy(world, order_qty=D(100 + n)) for n in range(7)]
    record_hand_over(request_ids=[one.requests.get().id for one in orders[:5]], at=AT)
    stop_id = press()
    assert sweep(5, every_s=0) == [3, 3, 1, 0, 0]
    assert KillSweep.objects.get().reached_at == AT + timedelta(seconds=10)
    assert proof(stop_id).of(Proof.TO_SEND, Proof.NEVER_SENT) == 7
    assert OrderRequest.objects.filter(kind="cancel").count() == 5
    assert sound()
    assert usage_holds()


def test_a_released_stop_is_worked_no_longer(world: DeskWorld) -> None:
    stop_id = press()
    KillSweep.objects.filter(id=stop_id).update(ended_at=AT)
    Block.objects.filter(id=stop_id).update(lifted_at=AT, lifted_by="test")
    order = buy(world)
    assert sweep(2) == [0, 0]
    assert order.requests.get().state == "released"
    assert proof(stop_id).to_reach == 0


def test_what_stays_unproven_is_told_once_and_cleared_when_it_is_proven(world: DeskWorld) -> None:
    result = working(world)
    stop_id = press()
    sweep()
    assert tell_unproven(at=AT + timedelta(seconds=29)) == 0
    assert [tell_unproven(at=AT + timedelta(seconds=30 + n)) for n in range(3)] == [1, 0, 0]
    raised = Event.objects.get(kind="AnomalyRaised", payload__kind="STOP_NOT_PROVEN")
    assert raised.payload["sentence"] == (
        "the whole firm was stopped, and 1 of its orders are not proven over (1 at SIM1): phone the venue."
    )
    assert raised.payload["evidence"]["page"] == f"/risk/kill/{stop_id}"
    record_hand_over(request_ids=[OrderRequest.objects.get(kind="cancel").id], at=LATER)
    apply_reports(
        reports=[report(result, 9, ExecType.CANCELED, OrdStatus.CANCELED, cum_qty=D(0), leaves_qty=D(0))], at=LATER
    )
    assert [tell_unproven(at=AT + timedelta(seconds=40 + n)) for n in range(2)] == [1, 0]
    assert Event.objects.filter(kind="AnomalyCleared", payload__kind="STOP_NOT_PROVEN").count() == 1
