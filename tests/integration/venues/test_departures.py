"""What leaves for the wire: the names, the quantity in the venue's meaning, and nothing for what has ended meanwhile."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from accounts.models import CashBalance, SuspenseAccount
from authorisation.models import AuthorisationRequest
from journal.models import Event
from journal.services.run_listener import run_listener
from kernel.clock import utc_now
from kernel.fix import ExecType, OrdStatus
from orders.domain.report import Position, Report
from orders.domain.terms import ReplaceTerms
from orders.models import Order, OrderRequest
from orders.services.answer_dk import answer_dk
from orders.services.apply_reports import apply_reports
from orders.services.decide_suspense import decide_suspense
from orders.services.enter_staged import enter_staged
from orders.services.replace_order import replace_order
from orders.services.stage_replace import stage_replace
from tests.factories import make_account
from tests.gateway_house import GROUP, SESSION, House
from venues.adapters.registry import adapter_named
from venues.domain.fix_codec import first_values, parse
from venues.models import HandOver, Venue, WireIntent
from venues.services import on_trades_disowned
from venues.services.mark_handed_over import HandedOver, mark_handed_over
from venues.services.refuse_intent import refuse_intent

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal


class Wire:
    """A house with one order at a venue of ``adapter``, handed over without an engine."""

    def __init__(self, tmp_path: Any, adapter: str) -> None:
        self.adapter = adapter
        self.house = House(tmp_path, adapter=adapter)
        self.order = self.house.capture()
        self.leave()
        self.report(1, ExecType.NEW, OrdStatus.NEW)

    def leave(self) -> HandedOver:
        """Route and hand over what waits; refusals as the gateway makes them."""
        self.house.route()
        handed = mark_handed_over(
            group=GROUP, session=SESSION, epoch="e1", fence=0, adapter=adapter_named(self.adapter), limit=10,
            only_safe=False, at=utc_now(),
        )  # fmt: skip
        for item in handed.not_sent:
            refuse_intent(intent_id=item.intent_id, code=item.code, sentence=item.sentence, at=utc_now())
        return handed

    def replace(self, **terms: Any) -> OrderRequest:
        result = replace_order(
            actor=self.house.world.dealer, at=utc_now(), idempotency_key=str(OrderRequest.objects.count()),
            route="ticket", order_id=self.order.id, terms=ReplaceTerms(**terms),
        )  # fmt: skip
        assert result.outcome == "released", result.checks
        return OrderRequest.objects.get(id=result.request_id)

    def report(self, seq: int, kind: ExecType, status: OrdStatus, **more: Any) -> None:
        now = utc_now()
        values: dict[str, Any] = {"cl_ord_id": self.order.cl_ord_id, "venue_order_id": "V1", "session": SESSION}
        report = Report(
            "8", Position("e1", seq), f"e1:{seq}", now, now, self.order.trade_date, kind, status, **(values | more)
        )  # fmt: skip
        assert apply_reports(reports=[report], at=now).applied == 1

    def sent(self, request: OrderRequest) -> dict[int, str]:
        return first_values(parse(HandOver.objects.get(cl_ord_id=request.cl_ord_id).body))


def test_a_leaves_dialect_is_told_what_is_left_when_it_leaves(tmp_path: Any) -> None:
    wire = Wire(tmp_path, "fix44-leaves")
    request = wire.replace(order_qty=D(1500))
    wire.report(2, ExecType.TRADE, OrdStatus.PARTIALLY_FILLED, last_qty=D(400), last_px=D("72.50"))
    wire.leave()
    assert (wire.sent(request)[38], wire.sent(request)[37]) == ("1100", "V1")
    assert Order.objects.get().venue_rules["replace"]["means_leaves"] is True


def test_a_leaves_dialect_cannot_say_less_than_nothing(tmp_path: Any) -> None:
    """Fills overtook the replace: it does not leave, and the hold is the order's own again."""
    wire = Wire(tmp_path, "fix44-leaves")
    request = wire.replace(order_qty=D(400))
    wire.report(2, ExecType.TRADE, OrdStatus.PARTIALLY_FILLED, last_qty=D(500), last_px=D("72.50"))
    assert [item.code for item in wire.leave().not_sent] == ["CANNOT_BE_MAPPED"]
    request.refresh_from_db()
    assert (request.state, HandOver.objects.count()) == ("refused", 1)
    assert CashBalance.objects.get().reserved == D("362.50")


def test_requests_in_flight_name_each_other_and_a_cancel_names_the_last(tmp_path: Any) -> None:
    wire = Wire(tmp_path, "fix44-chained")
    first, second = wire.replace(order_qty=D(1500)), wire.replace(order_qty=D(2000))
    wire.leave()
    third = wire.replace(order_qty=D(2500))
    wire.house.cancel(wire.order)
    handed = wire.leave()
    cancel = OrderRequest.objects.get(kind="cancel")
    assert [message.cl_ord_id for message in handed.outgoing] == [cancel.cl_ord_id]
    assert [item.code for item in handed.not_sent] == ["REQUEST_NOT_RELEASED"]
    names = [wire.sent(request)[41] for request in (first, second, cancel)]
    assert names == [wire.order.cl_ord_id, first.cl_ord_id, second.cl_ord_id]
    third.refresh_from_db()
    cancel.refresh_from_db()
    assert (third.state, cancel.orig_cl_ord_id) == ("withdrawn", second.cl_ord_id)


def test_a_staged_replace_stays_here_and_the_rest_leaves_as_a_new_order(tmp_path: Any) -> None:
    wire = Wire(tmp_path, "fix44-leaves")
    wire.report(2, ExecType.TRADE, OrdStatus.PARTIALLY_FILLED, last_qty=D(400), last_px=D("72.50"))
    asked = stage_replace(
        actor=wire.house.world.dealer, at=utc_now(), idempotency_key="s1", route="ticket", order_id=wire.order.id,
        terms=ReplaceTerms(price=D("72.40")),
    )  # fmt: skip
    assert [message.cl_ord_id for message in wire.leave().outgoing] == [f"{str(wire.order.cl_ord_id)[:-1]}3"]
    cancel = OrderRequest.objects.get(kind="cancel")
    assert (wire.sent(cancel)[35], wire.sent(cancel)[41]) == ("F", wire.order.cl_ord_id)
    assert WireIntent.objects.filter(request_id=asked.request_id).count() == 0
    gone = {"cl_ord_id": cancel.cl_ord_id, "orig_cl_ord_id": wire.order.cl_ord_id, "cum_qty": D(400)}
    wire.report(3, ExecType.CANCELED, OrdStatus.CANCELED, **gone)
    assert enter_staged(at=utc_now()) == 1
    new = OrderRequest.objects.get(kind="new", order__replaces_id=wire.order.id)
    assert [message.cl_ord_id for message in wire.leave().outgoing] == [new.cl_ord_id]
    assert (wire.sent(new)[35], wire.sent(new)[38], D(wire.sent(new)[44])) == ("D", "600", D("72.40"))
    assert CashBalance.objects.get().reserved == D("434.40")


def disown(wire: Wire) -> None:
    """Over-filled by 100, two people say DK, the listener hears it."""
    wire.report(2, ExecType.TRADE, OrdStatus.FILLED, last_qty=D(1100), last_px=D("72.50"), exec_id="X9")
    now, world = utc_now(), wire.house.world
    SuspenseAccount.objects.create(desk=None, account=make_account("SUS", group=world.group, cash="0"))
    wire.report(3, ExecType.TRADE, OrdStatus.FILLED, last_qty=D(1), last_px=D("72.50"), exec_id="X10")
    answer_dk(
        actor=world.dealer, at=now, idempotency_key="x1", route="suspense", order_id=wire.order.id, reason="Not ours."
    )
    asked = AuthorisationRequest.objects.get()
    decide_suspense(
        actor=world.checker, at=now, authorisation_id=asked.id, verdict="approve", reason_code="OTHER", reason="",
        payload_hash=asked.payload_hash,
    )  # fmt: skip
    while run_listener(name="d", kinds=("TradesDisowned",), handle=on_trades_disowned.handle, at=now).handled:
        pass


def test_a_disowned_trade_is_told_to_the_venue_once(tmp_path: Any) -> None:
    wire = Wire(tmp_path, "fix44-chained")
    disown(wire)
    handed = wire.leave()
    said = [dict(message.fields) for message in handed.outgoing]
    assert [(m[35], m[37], m[17], m[127], m[54], m[38], m[32], m[31], m[58]) for m in said] == [
        ("Q", "V1", "X9", "C", "1", "1000", "1100", "72.5", "Not ours."),
        ("Q", "V1", "X10", "C", "1", "1000", "1", "72.5", "Not ours."),
    ]
    assert wire.leave().claimed == 0
    assert WireIntent.objects.filter(kind="dk", state="handed_over").count() == 2
    assert HandOver.objects.filter(mapping="fix44-chained/1").count() == 3


def test_a_venue_that_takes_no_dk_is_called(tmp_path: Any) -> None:
    wire = Wire(tmp_path, "fix44")
    Venue.objects.update(phone="+44 20 7946 0000")
    disown(wire)
    assert WireIntent.objects.filter(kind="dk").count() == 0
    sentence = Event.objects.get(stream__startswith="anomaly:dk:").payload["sentence"]
    assert sentence == "Call Test venue, +44 20 7946 0000: we do not know trade X9, X10 of order V1."
