"""Cancel, wait for proof, then new: entered once, held without a gap, and ended aloud where it cannot be."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import CashBalance, Reservation
from authorisation.models import User
from journal.models import Event
from journal.selectors.happenings import list_happenings
from kernel.errors import Conflict, OmsError, Unavailable
from kernel.fix import ExecType, OrdStatus
from operations.fsck.holds import differing_holds
from operations.fsck.orders import CHECKS
from operations.fsck.prove import prove_one
from operations.fsck.snapshot import snapshot_of_transaction
from orders.domain.open_orders import OpenOrders
from orders.domain.report import Report
from orders.domain.results import CaptureResult, RequestResult
from orders.domain.terms import ReplaceTerms
from orders.models import Order, OrderRequest
from orders.services.apply_reports import apply_reports
from orders.services.cancel_order import cancel_order
from orders.services.capture_order import capture_order
from orders.services.enter_staged import enter_staged
from orders.services.record_hand_over import record_hand_over
from orders.services.replace_order import replace_order
from orders.services.replay_orders import replay_orders
from orders.services.stage_replace import stage_replace
from tests.factories import DeskWorld, make_desk, trading_off
from tests.integration.operations.test_pages import client_of
from tests.integration.orders.test_api import issue_token, post
from tests.integration.orders.test_apply_reports import LATER, report, sent
from tests.integration.orders.test_unmatched import open_anomalies
from tests.integration.orders.test_venue_rules import working

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def world() -> DeskWorld:
    return make_desk()


@pytest.fixture
def order(world: DeskWorld) -> CaptureResult:
    """Buy 1,000 at 72.50 pence, 400 of it executed, at a venue that replaces quantities only."""
    order = working(world, replaceable=frozenset({"order_qty"}))
    apply_reports(reports=[trade(order, 2, 400)], at=LATER)
    return order


def trade(order: CaptureResult, seq: int, qty: int) -> Report:
    status = OrdStatus.PARTIALLY_FILLED
    return report(order, seq, ExecType.TRADE, status, last_qty=D(qty), last_px=D("72.50"))


def canceled(order: CaptureResult, seq: int, cum_qty: int = 400) -> Report:
    return report(order, seq, ExecType.CANCELED, OrdStatus.CANCELED, cum_qty=D(cum_qty), leaves_qty=D(0))


def stage(world: DeskWorld, order: CaptureResult, key: str = "s1", **changes: Any) -> RequestResult:
    """1,200 in all at 72.40 unless told otherwise; its cancel is on the wire."""
    wanted = {"order_qty": D(1200), "price": D("72.40")} | changes
    result = stage_replace(
        actor=world.dealer, at=LATER, idempotency_key=key, route="ticket", order_id=order.order_id,
        terms=ReplaceTerms(**wanted),
    )  # fmt: skip
    cancels = OrderRequest.objects.filter(order_id=order.order_id, kind="cancel", state="released")
    record_hand_over(request_ids=[one.id for one in cancels], at=LATER)
    return result


def reserved() -> Decimal:
    return CashBalance.objects.get().reserved


def sound() -> bool:
    """Rows are what their events say, holds what they need; the picture and fsck agree."""
    replayed = replay_orders(order_ids=list(Order.objects.values_list("id", flat=True)))
    assert replayed.differences == []
    picture = OpenOrders()
    for event in list_happenings(0):
        if event.stream.startswith("order:"):
            picture.apply(event)
    account = str(Order.objects.first().account_id)  # type: ignore[union-attr]
    assert sum(picture.reserved(account)[0].values(), D(0)) == reserved()
    assert sum(Reservation.objects.values_list("cash", flat=True), D(0)) == reserved()
    snapshot = snapshot_of_transaction(at=LATER)
    assert list(differing_holds(snapshot)) == []
    for check in CHECKS:
        outcome = prove_one(snapshot, check)
        assert outcome is not None
        assert outcome.holds, outcome.examples
    return True


def test_what_is_left_is_entered_once_the_cancel_is_proven(world: DeskWorld, order: CaptureResult) -> None:
    terms = ReplaceTerms(price=D("72.40"))
    plain = replace_order(
        actor=world.dealer, at=LATER, idempotency_key="r1", route="ticket", order_id=order.order_id, terms=terms
    )
    assert (plain.outcome, OrderRequest.objects.get(id=plain.request_id).outcome_code) == (
        "refused", "FIELD_NOT_REPLACEABLE",
    )  # fmt: skip
    asked = stage(world, order)
    assert (asked.outcome, reserved()) == ("released", D("579.20"))  # the 800 to come, more than the 600 that work
    sent = Event.objects.filter(kind__in=["ReplaceReleased", "CancelReleased"]).values_list("kind", flat=True)
    assert list(sent) == ["CancelReleased"]
    assert enter_staged(at=LATER) == 0
    assert sound()
    apply_reports(reports=[canceled(order, 3)], at=LATER)
    old = Order.objects.get(id=order.order_id)
    assert (old.ord_status, old.is_open, reserved()) == ("4", False, D("579.20"))  # over, and still held for
    assert sound()
    assert (enter_staged(at=LATER), enter_staged(at=LATER)) == (1, 0)
    new = Order.objects.get(replaces_id=old.id)
    assert (new.order_qty, new.price, new.is_open, new.root_id, new.owner_id) == (
        D(800), D("72.40"), True, old.root_id, old.owner_id,
    )  # fmt: skip
    request = OrderRequest.objects.get(id=asked.request_id)
    assert (request.state, request.outcome_text) == ("accepted", f"Entered anew as {new.ref}.")
    held = dict(Reservation.objects.filter(cash__gt=0).values_list("order_id", "cash"))
    assert (held, reserved(), open_anomalies()) == ({new.id: D("579.20")}, D("579.20"), [])
    assert sound()
    for this, other in ((old, new), (new, old)):
        assert f'href="/o/{other.ref}"' in client_of(world.dealer).get(f"/o/{this.ref}").content.decode()


def test_trades_on_their_way_are_waited_for(world: DeskWorld, order: CaptureResult) -> None:
    stage(world, order)
    apply_reports(reports=[canceled(order, 4, cum_qty=500)], at=LATER)
    assert enter_staged(at=LATER) == 0
    assert sound()
    apply_reports(reports=[trade(order, 3, 100)], at=LATER)
    assert enter_staged(at=LATER) == 1
    assert Order.objects.get(replaces_id=order.order_id).order_qty == D(700)
    assert sound()


def cancel_rejected(order: CaptureResult) -> None:
    cancel = OrderRequest.objects.get(order_id=order.order_id, kind="cancel")
    refusal = report(
        order, 3, ExecType.NEW, OrdStatus.PARTIALLY_FILLED, msg_type="9", exec_type=None, reject_code="0",
        text="too late", cl_ord_id=cancel.cl_ord_id, orig_cl_ord_id=order.cl_ord_id, exec_id="",
    )  # fmt: skip
    apply_reports(reports=[refusal], at=LATER)


def filled(order: CaptureResult) -> None:
    apply_reports(reports=[trade(order, 3, 600)], at=LATER)


def expired(order: CaptureResult) -> None:
    apply_reports(reports=[report(order, 3, ExecType.EXPIRED, OrdStatus.EXPIRED, cum_qty=D(400))], at=LATER)


def blocked(order: CaptureResult) -> None:
    trading_off()
    apply_reports(reports=[canceled(order, 3)], at=LATER)


def without_right(order: CaptureResult) -> None:
    request = OrderRequest.objects.get(order_id=order.order_id, kind="replace")
    User.objects.get(id=request.maker_id).groups.clear()
    apply_reports(reports=[canceled(order, 3)], at=LATER)


@pytest.mark.parametrize(
    ("happens", "code", "held"),
    [
        (cancel_rejected, "CANCEL_NOT_DONE", "435.00"),
        (filled, "FILLED_MEANWHILE", "0"),
        (expired, "ENDED_OTHERWISE", "0"),
        (blocked, "NEW_ORDER_REFUSED", "0"),
        (without_right, "RIGHT_MISSING", "0"),
    ],
)
def test_what_cannot_be_entered_ends_aloud(
    world: DeskWorld, order: CaptureResult, happens: Callable[[CaptureResult], None], code: str, held: str
) -> None:
    asked = stage(world, order)
    happens(order)
    assert (enter_staged(at=LATER), enter_staged(at=LATER)) == (1, 0)
    request = OrderRequest.objects.get(id=asked.request_id)
    assert (request.state, request.outcome_code, reserved()) == ("refused", code, D(held))
    assert "STAGED_NOT_ENTERED" in open_anomalies()
    assert Order.objects.filter(replaces_id=order.order_id, is_open=True).count() == 0
    assert sound()


@pytest.mark.parametrize("proven", [False, True])
def test_a_cancel_takes_it_back(world: DeskWorld, order: CaptureResult, proven: bool) -> None:
    asked = stage(world, order)
    sent = OrderRequest.objects.get(order_id=order.order_id, kind="cancel")
    if proven:
        apply_reports(reports=[canceled(order, 3)], at=LATER)
    result = cancel_order(
        actor=world.dealer, at=LATER, idempotency_key="c1", route="ticket", order_id=order.order_id, reason="Enough."
    )
    assert (result.request_id, result.outcome) == (sent.id, "completed_locally" if proven else "released")
    assert OrderRequest.objects.get(id=asked.request_id).state == "withdrawn"
    assert reserved() == (D(0) if proven else D("435.00"))
    if not proven:
        apply_reports(reports=[canceled(order, 3)], at=LATER)
    assert enter_staged(at=LATER) == 0
    assert (Order.objects.count(), reserved()) == (1, D(0))
    assert sound()


def test_what_fails_is_kept_as_it_was_and_keeps_no_other_waiting(world: DeskWorld, order: CaptureResult) -> None:
    other = sent(world, key="k2")
    for one in (order, other):
        stage(world, one, key=one.ref)
    named = {"identity": "k2", "venue_order_id": "V2", "cum_qty": D(0)}
    gone = report(other, 1, ExecType.CANCELED, OrdStatus.CANCELED, **named)
    apply_reports(reports=[canceled(order, 3), gone], at=LATER)
    real, calls = capture_order, []

    def once(**arguments: Any) -> CaptureResult:
        calls.append(arguments["idempotency_key"])
        if len(calls) == 1:
            raise Unavailable("PRICES_AWAY", "The prices are away.")
        return real(**arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("orders.services.enter_staged.capture_order", once)
        with pytest.raises(Unavailable):
            enter_staged(at=LATER)
        assert list(Order.objects.filter(replaces_id__isnull=False).values_list("replaces_id", flat=True)) == [
            other.order_id
        ]
        assert reserved() == D("1448.00")
        assert sound()
        assert enter_staged(at=LATER) == 1
    assert calls[0] == calls[2]
    assert (Order.objects.count(), reserved()) == (4, D("1448.00"))
    assert sound()


def everything() -> tuple[int, int, Decimal]:
    return Event.objects.count(), OrderRequest.objects.count(), reserved()


def test_what_is_refused_at_the_door_changes_nothing(world: DeskWorld, order: CaptureResult) -> None:
    def refused(code: str, **changes: Any) -> None:
        before = everything()
        with pytest.raises(OmsError) as caught:
            stage(world, order, key=code, **changes)
        assert (caught.value.code, everything()) == (code, before)

    refused("NOTHING_TO_ENTER", order_qty=D(400))
    refused("STAGED_NEEDS_APPROVAL", order_qty=D(60_000))
    refused("REPLACE_CHANGES_NOTHING", order_qty=D(1000), price=D("72.50"))
    first = stage(world, order)
    before = everything()
    again = stage(world, order)
    assert (again.request_id, again.replayed, everything()) == (first.request_id, True, before)
    refused("CANCEL_IN_FLIGHT", order_qty=D(1300))
    cancel_rejected(order)
    refused("REPLACE_STAGED", order_qty=D(1300))
    enter_staged(at=LATER)
    assert stage(world, order, key="anew").outcome == "released"


def test_checks_refuse_it_before_anything_is_canceled(world: DeskWorld, order: CaptureResult) -> None:
    trading_off()
    asked = stage(world, order)
    assert (asked.outcome, reserved()) == ("refused", D("435.00"))
    assert OrderRequest.objects.filter(kind="cancel").count() == 0
    assert Event.objects.filter(kind="ReplaceRefused").count() == 1
    assert sound()


def test_a_replace_in_flight_must_be_answered_first(world: DeskWorld, order: CaptureResult) -> None:
    replace_order(
        actor=world.dealer, at=LATER, idempotency_key="r1", route="ticket", order_id=order.order_id,
        terms=ReplaceTerms(order_qty=D(1100)),
    )  # fmt: skip
    before = everything()
    with pytest.raises(Conflict, match="REPLACE_IN_FLIGHT"):
        stage(world, order)
    assert everything() == before


def test_the_amend_form_asks_for_it(world: DeskWorld, order: CaptureResult, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("operations.views.orders.utc_now", lambda: LATER)
    client = client_of(world.dealer)
    assert 'name="staged"' in client.get(f"/o/{order.ref}/amend?part=1").content.decode()
    form = {"key": "f1", "qty": "1200", "price": "72.40", "staged": "1"}
    assert client.post(f"/o/{order.ref}/amend", form).status_code == 200
    request = OrderRequest.objects.get(order_id=order.order_id, kind="replace")
    assert (request.payload["staged"], request.state) == (True, "released")


def test_the_api_asks_for_it(world: DeskWorld, order: CaptureResult, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.api.views.utc_now", lambda: LATER)
    issue_token(world.dealer.user_id)
    answer = post(f"/orders/{order.order_id}/replace", {"price": "72.40", "staged": True})
    assert answer.status_code == 201
    request = OrderRequest.objects.get(order_id=order.order_id, kind="replace")
    assert (request.payload["staged"], request.state) == (True, "released")
