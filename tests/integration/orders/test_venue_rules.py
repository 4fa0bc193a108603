"""What a venue takes of requests decides what our doors allow: each refusal changes nothing else, each allowance is held for."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from accounts.models import CashBalance
from journal.models import Event
from kernel.errors import Conflict
from kernel.fix import ExecType, OrdStatus
from orders.domain.report import Report
from orders.domain.results import CaptureResult, RequestResult
from orders.domain.terms import ReplaceTerms
from orders.domain.venue_rules import VenueRules
from orders.locks import lock_departing
from orders.models import Order, OrderRequest
from orders.services.apply_reports import apply_reports
from orders.services.cancel_order import cancel_order
from orders.services.check_boundaries import check_boundaries
from orders.services.record_hand_over import record_hand_over
from orders.services.record_routes import record_routes
from orders.services.replace_order import replace_order
from risk.domain.facts import ReplaceRules
from tests.factories import AT, DeskWorld, make_desk
from tests.integration.orders.test_apply_reports import LATER, report, sent

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def world() -> DeskWorld:
    return make_desk()


def working(world: DeskWorld, **rules: Any) -> CaptureResult:
    """A working order of 1,000 at 72.50 pence, routed to a venue of these rules."""
    order = sent(world)
    record_routes(routes={order.order_id: "SIM1"}, rules={"SIM1": VenueRules("t/1", ReplaceRules(**rules))}, at=AT)
    apply_reports(reports=[report(order, 1, ExecType.NEW, OrdStatus.NEW)], at=LATER)
    return order


def replace(
    world: DeskWorld, order: CaptureResult, *, after: int = 0, leaves: bool = True, **terms: Any
) -> RequestResult:
    """Ask for a replace ``after`` so many milliseconds; handed over unless refused or told not to leave."""
    at = LATER + timedelta(milliseconds=after)
    result = replace_order(
        actor=world.dealer,
        at=at,
        idempotency_key=str(OrderRequest.objects.count()),
        route="ticket",
        order_id=order.order_id,
        terms=ReplaceTerms(**terms),
    )
    if leaves and result.outcome == "released":
        leave(result.request_id)
    return result


def leave(*request_ids: UUID) -> None:
    """Hand the requests over as the gateway does."""
    departing = lock_departing(request_ids)
    originals = {}
    for request in OrderRequest.objects.filter(id__in=request_ids).order_by("seq"):
        departure = departing[request.order_id].departure(request.cl_ord_id)
        assert departure is not None
        departing[request.order_id].left(request.cl_ord_id, departure)
        originals[request.id] = departure.orig_cl_ord_id
    record_hand_over(request_ids=request_ids, at=LATER, originals=originals)


def refusals(result: RequestResult) -> dict[str, str]:
    return {answer.code: answer.sentence for answer in result.checks if answer.verdict.word == "refuse"}


def replaced(order: CaptureResult, seq: int, name: str, orig: str, qty: int, **more: Any) -> Report:
    values = {"order_qty": D(qty), "price": D("72.50"), "leaves_qty": D(qty)} | more
    return report(order, seq, ExecType.REPLACED, OrdStatus.NEW, cl_ord_id=name, orig_cl_ord_id=orig, **values)


def rejected(order: CaptureResult, seq: int, name: str, orig: str) -> Report:
    values: dict[str, Any] = {"msg_type": "9", "exec_type": None, "reject_code": "2", "exec_id": ""}
    return report(order, seq, ExecType.NEW, OrdStatus.NEW, cl_ord_id=name, orig_cl_ord_id=orig, **values)


def reserved() -> Decimal:
    return CashBalance.objects.get().reserved


def everything(order: CaptureResult) -> tuple[Any, ...]:
    """Whatever a refused request must leave alone; the request itself and its two events are kept."""
    row = Order.objects.values(
        "ord_status", "order_qty", "cum_qty", "leaves_qty", "price", "facts", "is_open", "request_state", "cl_ord_id"
    ).get(id=order.order_id)
    requests = list(OrderRequest.objects.exclude(state="refused").order_by("seq").values_list("cl_ord_id", "state"))
    return row, requests, reserved(), Event.objects.filter(kind__endswith="Released").count()


def test_no_more_replaces_fly_than_the_venue_takes(world: DeskWorld) -> None:
    order = working(world, max_outstanding=2)
    replace(world, order, order_qty=D(1100))
    replace(world, order, order_qty=D(1200))
    before = everything(order)
    third = replace(world, order, order_qty=D(1300))
    assert refusals(third) == {
        "REPLACE_OUTSTANDING": "The venue has not answered 2 replaces of this order yet and takes 2 at a time; "
        "wait for its answer."
    }
    assert everything(order) == before
    assert OrderRequest.objects.get(id=third.request_id).outcome_code == "REPLACE_OUTSTANDING"


def test_a_field_the_venue_keeps_is_named_with_the_way_out(world: DeskWorld) -> None:
    order = working(world, replaceable=frozenset({"order_qty"}))
    before = everything(order)
    answer = refusals(replace(world, order, price=D("72.40"), order_qty=D(900)))
    assert answer == {
        "FIELD_NOT_REPLACEABLE": "The venue does not let a replace change the price: cancel the order and, once that is "
        "proven, enter a new one, or ask for both at once."
    }
    assert everything(order) == before
    assert replace(world, order, order_qty=D(900)).outcome == "released"


def test_replaces_keep_the_distance_the_venue_asks_for_and_cancels_pass(world: DeskWorld) -> None:
    order = working(world, max_outstanding=5, min_interval_ms=100)
    assert replace(world, order, order_qty=D(900)).outcome == "released"
    before = everything(order)
    assert set(refusals(replace(world, order, after=99, order_qty=D(800)))) == {"REPLACE_TOO_SOON"}
    assert everything(order) == before
    assert replace(world, order, after=100, order_qty=D(800)).outcome == "released"
    cancel = cancel_order(
        actor=world.dealer, at=LATER, idempotency_key="c", route="ticket", order_id=order.order_id, reason=""
    )
    assert cancel.outcome == "released"


def test_the_largest_of_all_open_replaces_is_held_until_each_is_answered(world: DeskWorld) -> None:
    order = working(world, max_outstanding=3)
    names = [replace(world, order, order_qty=D(qty)).cl_ord_id for qty in (3000, 2000, 500)]
    assert reserved() == D("2175.00")
    assert list(OrderRequest.objects.order_by("seq").values_list("orig_cl_ord_id", flat=True)) == [
        None,
        order.cl_ord_id,
        names[0],
        names[1],
    ]
    apply_reports(reports=[rejected(order, 2, names[0], order.cl_ord_id)], at=LATER)
    assert reserved() == D("1450.00")
    apply_reports(reports=[replaced(order, 3, names[1], order.cl_ord_id, 2000)], at=LATER)
    assert reserved() == D("1450.00")
    apply_reports(reports=[replaced(order, 4, names[2], names[1], 500)], at=LATER)
    row = Order.objects.get()
    assert (reserved(), row.cl_ord_id, row.order_qty) == (D("362.50"), names[2], D(500))


def test_a_request_names_the_last_one_that_was_not_rejected(world: DeskWorld) -> None:
    order = working(world, max_outstanding=3)
    first = replace(world, order, order_qty=D(900))
    waiting = replace(world, order, leaves=False, order_qty=D(800))
    assert OrderRequest.objects.get(id=waiting.request_id).orig_cl_ord_id == order.cl_ord_id
    apply_reports(reports=[rejected(order, 2, first.cl_ord_id, order.cl_ord_id)], at=LATER)
    leave(waiting.request_id)
    assert OrderRequest.objects.get(id=waiting.request_id).orig_cl_ord_id == order.cl_ord_id
    third = replace(world, order, order_qty=D(700))
    assert OrderRequest.objects.get(id=third.request_id).orig_cl_ord_id == waiting.cl_ord_id


def test_an_amend_builds_on_what_was_asked_for_last(world: DeskWorld) -> None:
    order = working(world, max_outstanding=2)
    replace(world, order, order_qty=D(2000), max_floor=D(100))
    second = replace(world, order, price=D("72.40"))
    payload = OrderRequest.objects.get(id=second.request_id).payload
    assert (payload["order_qty"], payload["price"], payload["max_floor"]) == ("2000", "72.4", "100")


def test_an_accepted_replace_keeps_the_terms_reports_do_not_repeat(world: DeskWorld) -> None:
    order = working(world)
    first = replace(world, order, max_floor=D(100))
    apply_reports(reports=[replaced(order, 2, first.cl_ord_id, order.cl_ord_id, 1000)], at=LATER)
    assert Order.objects.get().max_floor == D(100)
    second = replace(world, order, price=D("72.40"))
    payload = OrderRequest.objects.get(id=second.request_id).payload
    assert (payload["price"], payload["max_floor"]) == ("72.4", "100")


def filled(order: CaptureResult) -> Report:
    return report(order, 2, ExecType.TRADE, OrdStatus.FILLED, last_qty=D(1000), last_px=D("72.50"))


def test_a_filled_order_is_over_where_the_venue_does_not_revive_it(world: DeskWorld) -> None:
    order = working(world)
    apply_reports(reports=[filled(order)], at=LATER)
    before = everything(order), OrderRequest.objects.count(), Event.objects.count()
    with pytest.raises(Conflict, match="ORDER_CLOSED"):
        replace(world, order, order_qty=D(1500))
    assert (everything(order), OrderRequest.objects.count(), Event.objects.count()) == before


def test_a_filled_order_is_replaced_upwards_where_the_venue_revives_it(world: DeskWorld) -> None:
    order = working(world, revives_filled=True)
    apply_reports(reports=[filled(order)], at=LATER)
    assert (Order.objects.get().is_open, reserved()) == (False, D(0))
    with_more = replace(world, order, leaves=False, order_qty=D(1500))
    assert reserved() == D("362.50")
    assert check_boundaries(request_ids=[with_more.request_id], at=LATER)[with_more.request_id].allowed
    leave(with_more.request_id)
    accepted = replaced(order, 3, with_more.cl_ord_id, order.cl_ord_id, 1500, leaves_qty=D(500))
    apply_reports(reports=[accepted], at=LATER)
    row = Order.objects.get()
    assert (row.ord_status, row.leaves_qty, row.is_open, reserved()) == ("1", D(500), True, D("362.50"))


def test_a_rejected_revival_lets_its_hold_go(world: DeskWorld) -> None:
    order = working(world, revives_filled=True)
    apply_reports(reports=[filled(order)], at=LATER)
    more = replace(world, order, order_qty=D(1500))
    apply_reports(reports=[rejected(order, 3, more.cl_ord_id, order.cl_ord_id)], at=LATER)
    assert (Order.objects.get().ord_status, reserved()) == ("2", D(0))


def test_a_replace_that_the_fill_overtook_holds_until_its_answer(world: DeskWorld) -> None:
    """The venue may have accepted it before: unanswered, the worse of both counts although the order is filled."""
    order = working(world)
    more = replace(world, order, order_qty=D(1500))
    apply_reports(reports=[filled(order)], at=LATER)
    assert (Order.objects.get().ord_status, reserved()) == ("2", D("362.50"))
    cancel = cancel_order(
        actor=world.dealer, at=LATER, idempotency_key="c", route="ticket", order_id=order.order_id, reason=""
    )
    leave(cancel.request_id)
    assert OrderRequest.objects.get(id=cancel.request_id).orig_cl_ord_id == more.cl_ord_id


def test_less_than_executed_asks_the_venue_to_stop(world: DeskWorld) -> None:
    order = working(world, below_executed_stops=True)
    part = report(order, 2, ExecType.TRADE, OrdStatus.PARTIALLY_FILLED, last_qty=D(600), last_px=D("72.50"))
    apply_reports(reports=[part], at=LATER)
    less = replace(world, order, order_qty=D(100))
    assert (less.outcome, reserved()) == ("released", D("290.00"))
    apply_reports(reports=[replaced(order, 3, less.cl_ord_id, order.cl_ord_id, 600, leaves_qty=D(0))], at=LATER)
    row = Order.objects.get()
    assert (row.ord_status, row.order_qty, row.leaves_qty, reserved()) == ("2", D(600), D(0), D(0))


def test_nothing_is_amended_while_a_cancel_is_on_its_way(world: DeskWorld) -> None:
    order = working(world, max_outstanding=2)
    cancel_order(actor=world.dealer, at=LATER, idempotency_key="c", route="ticket", order_id=order.order_id, reason="")
    before = everything(order), OrderRequest.objects.count(), Event.objects.count()
    with pytest.raises(Conflict, match="CANCEL_IN_FLIGHT"):
        replace(world, order, order_qty=D(900))
    assert (everything(order), OrderRequest.objects.count(), Event.objects.count()) == before


def test_a_cancel_takes_back_a_replace_that_has_not_left(world: DeskWorld) -> None:
    order = working(world, max_outstanding=2)
    gone = replace(world, order, order_qty=D(1500))
    waiting = replace(world, order, leaves=False, order_qty=D(2000))
    cancel = cancel_order(
        actor=world.dealer, at=LATER, idempotency_key="c", route="ticket", order_id=order.order_id, reason=""
    )
    assert OrderRequest.objects.get(id=waiting.request_id).state == "withdrawn"
    assert reserved() == D("1087.50")
    departing = lock_departing([waiting.request_id, cancel.request_id])[order.order_id]
    assert departing.departure(waiting.cl_ord_id) is None
    leaving = departing.departure(cancel.cl_ord_id)
    assert leaving is not None
    assert (leaving.orig_cl_ord_id, leaving.venue_order_id) == (gone.cl_ord_id, "V1")
