"""Locates through every door: a quantity that is held, used up, given back, and never used twice by a decision of ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import Locate, TradingAccount
from accounts.services.record_locate import record_locate
from authorisation.models import AuthorisationRequest
from journal.models import Event
from journal.selectors import stream_records
from journal.selectors.anomalies import is_raised
from kernel.errors import Conflict, Invalid, NotPermitted
from kernel.fix import ExecType, OrdStatus, Side
from orders.domain.borrowing import borrowed
from orders.domain.replaying import replay
from orders.domain.results import CaptureResult
from orders.domain.staging import is_staged
from orders.domain.terms import ReplaceTerms
from orders.models import Order
from orders.selectors.locates import list_locates
from orders.services.apply_reports import apply_reports
from orders.services.cancel_order import cancel_order
from orders.services.capture_order import capture_order
from orders.services.capture_orders import capture_orders
from orders.services.check_boundaries import check_boundaries
from orders.services.decide_order_request import decide_order_request
from orders.services.preview_order import preview_order
from orders.services.record_hand_over import record_hand_over
from orders.services.replace_order import replace_order
from tests.factories import AT, DeskWorld, make_desk, make_listing, terms
from tests.factories.accounts import SEED, located
from tests.factories.busy_day import busy_day
from tests.integration.orders.test_apply_reports import LATER, report

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def world() -> DeskWorld:
    made = make_desk()
    TradingAccount.objects.filter(id=made.account.id).update(short_allowed=True)
    located(made.account, made.listing.instrument_id, "1000")
    return made


def short(world: DeskWorld, qty: str = "1000", *, key: str = "k1", **changes: Any) -> CaptureResult:
    wanted = {"side": Side.SELL_SHORT, "order_qty": D(qty), "locate_ref": "L1"} | changes
    return capture_order(
        actor=world.dealer, at=AT, idempotency_key=key, route="api", terms=terms(world, **wanted), source="api"
    )


def sent_short(world: DeskWorld, qty: str = "1000", *, key: str = "k1") -> CaptureResult:
    result = short(world, qty, key=key)
    record_hand_over(request_ids=[result.request_id], at=AT)
    return result


def refusals(result: CaptureResult) -> set[str]:
    return {answer.code for answer in result.checks if answer.verdict.word == "refuse"}


def left(world: DeskWorld) -> Decimal:
    return list_locates(world.account.id)[0].left


def trade(order: CaptureResult, seq: int, qty: int, **more: Any) -> None:
    traded = report(order, seq, ExecType.TRADE, OrdStatus.PARTIALLY_FILLED, last_qty=D(qty), last_px=D("72.50"), **more)
    apply_reports(reports=[traded], at=LATER)


def test_leaves_hold_fills_use_up_and_a_cancel_gives_the_rest_back(world: DeskWorld) -> None:
    order = sent_short(world, "600")
    assert (order.outcome, left(world)) == ("released", D(400))
    trade(order, 1, 250)
    assert left(world) == D(400)
    canceled = report(order, 2, ExecType.CANCELED, OrdStatus.CANCELED)
    apply_reports(reports=[canceled], at=LATER)
    assert left(world) == D(750)
    assert short(world, "751", key="k2").outcome == "refused"
    assert left(world) == D(750)
    assert short(world, "750", key="k3").outcome == "released"
    assert left(world) == D(0)
    assert refusals(short(world, "0.00000001", key="k4")) >= {"LOCATE_COVER"}


def test_a_bust_gives_back_and_buying_back_does_not(world: DeskWorld) -> None:
    order = sent_short(world, "600")
    trade(order, 1, 600)
    bought = capture_order(
        actor=world.dealer, at=AT, idempotency_key="b", route="api", terms=terms(world, order_qty=D(600)), source="api"
    )
    record_hand_over(request_ids=[bought.request_id], at=AT)
    trade(bought, 2, 600, venue_order_id="V2")
    assert left(world) == D(400)
    bust = report(order, 3, ExecType.TRADE_CANCEL, OrdStatus.NEW, exec_ref_id="X1")
    apply_reports(reports=[bust, report(order, 4, ExecType.CANCELED, OrdStatus.CANCELED)], at=LATER)
    assert left(world) == D(1000)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"locate_ref": "L9"}, "LOCATE_COVER"),
        ({"locate_ref": ""}, "SHORT_MARKING"),
        ({"symbol": "BARC.L"}, "LOCATE_COVER"),
        ({"order_qty": D(1001)}, "LOCATE_COVER"),
        ({"side": Side.SELL_SHORT_EXEMPT, "order_qty": D(1001)}, "LOCATE_COVER"),
    ],
)
def test_what_no_locate_covers_is_refused_by_every_door(world: DeskWorld, changes: dict[str, Any], code: str) -> None:
    make_listing("BARC.L", market=world.listing.market)
    result = short(world, **changes)
    assert (result.outcome, code in refusals(result)) == ("refused", True)
    wanted = terms(world, **({"side": Side.SELL_SHORT, "locate_ref": "L1"} | changes))
    seen = preview_order(actor=world.dealer, at=AT, terms=wanted)
    assert (seen.can_send, [a.verdict.word for a in seen.checks if a.code == code]) == (False, ["refuse"])
    rows = [("1", wanted)]
    batch = capture_orders(actor=world.dealer, at=AT, idempotency_key="b1", route="batch", rows=rows, source="api")
    assert batch[0].outcome == "refused"
    assert left(world) == D(1000)


def test_another_account_has_no_part_in_it(world: DeskWorld) -> None:
    other = make_desk("EQ2")
    TradingAccount.objects.filter(id=other.account.id).update(short_allowed=True)
    assert refusals(short(other)) == {"LOCATE_COVER"}


def test_an_expired_locate_covers_nothing_new_and_nothing_unsent(world: DeskWorld) -> None:
    located(world.account, world.listing.instrument_id, "500", ref="SOON", at=AT, lasts=timedelta(seconds=2))
    order = short(world, "500", locate_ref="SOON")
    assert order.outcome == "released", order.sentence
    night = AT + timedelta(seconds=2)
    asked = {order.request_id: order}
    before = check_boundaries(request_ids=asked, at=night - timedelta(microseconds=1))[order.request_id]
    after = check_boundaries(request_ids=asked, at=night)[order.request_id]
    assert before.allowed, before.sentence
    assert (after.allowed, after.code) == (False, "LOCATE_COVER")


def test_rows_of_a_batch_see_what_the_rows_before_took(world: DeskWorld) -> None:
    wanted = terms(world, side=Side.SELL_SHORT, order_qty=D(400), locate_ref="L1")
    rows = [(str(number), wanted) for number in range(3)] + [("3", replace(wanted, order_qty=D(200)))]
    results = capture_orders(actor=world.dealer, at=AT, idempotency_key="b1", route="batch", rows=rows, source="api")
    assert [row.outcome for row in results] == ["released", "released", "refused", "released"]
    assert left(world) == D(0)


def test_while_a_replace_is_open_the_larger_is_held(world: DeskWorld) -> None:
    order = sent_short(world, "600")
    apply_reports(reports=[report(order, 1, ExecType.NEW, OrdStatus.NEW)], at=LATER)

    def ask(key: str, qty: str) -> str:
        result = replace_order(
            actor=world.dealer, at=LATER, idempotency_key=key, route="api", order_id=order.order_id,
            terms=ReplaceTerms(order_qty=D(qty)),
        )  # fmt: skip
        return result.outcome

    assert ask("r1", "1001") == "refused"
    assert left(world) == D(400)
    assert ask("r2", "900") == "released"
    assert left(world) == D(100)
    assert refusals(short(world, "101", key="k2")) == {"LOCATE_COVER"}


def test_a_held_order_holds_and_is_released_on_what_is_left_then(world: DeskWorld) -> None:
    located(world.account, world.listing.instrument_id, "60000", ref="BIG")
    held = short(world, "55000", locate_ref="BIG")
    assert held.outcome == "pending_authorisation"
    assert [use.left for use in list_locates(world.account.id)] == [D(1000), D(5000)]
    request = AuthorisationRequest.objects.get()
    decided = decide_order_request(
        actor=world.checker, at=LATER, authorisation_id=request.id, verdict="approve", reason_code="OTHER",
        reason="Spoken to the lender.", payload_hash=request.payload_hash,
    )  # fmt: skip
    assert decided.outcome == "applied", decided.sentence
    cancel_order(
        actor=world.dealer, at=LATER, idempotency_key="c", route="api", order_id=held.order_id, reason=""
    )  # fmt: skip
    assert [use.left for use in list_locates(world.account.id)] == [D(1000), D(60000)]


def test_facts_that_take_too_much_are_told_and_cleared(world: DeskWorld) -> None:
    first = sent_short(world, "800")
    apply_reports(reports=[report(first, 1, ExecType.CANCELED, OrdStatus.CANCELED)], at=LATER)
    second = sent_short(world, "700", key="k2")
    locate = Locate.objects.get()
    trade(first, 2, 500)  # a late fill of an order that was canceled
    assert (left(world), is_raised(f"locate:{locate.id}")) == (D(-200), True)
    said = Event.objects.filter(stream=f"anomaly:locate:{locate.id}").latest("seq").payload
    assert said["sentence"] == "200 units more were sold short under locate L1 than Prime broker has promised."
    assert not check_boundaries(request_ids=[second.request_id], at=LATER)[second.request_id].allowed
    bust = report(first, 3, ExecType.TRADE_CANCEL, OrdStatus.CANCELED, exec_ref_id="X2")
    apply_reports(reports=[bust], at=LATER)
    assert (left(world), is_raised(f"locate:{locate.id}")) == (D(300), False)


def test_use_follows_from_replayed_orders_alone() -> None:
    day = busy_day()
    uses = list_locates(day.world.account.id)
    assert {use.ref: use.used for use in uses} == {"L1": D(50), "L2": D(12)}
    for use in uses:
        for order_id, used in use.by_order.items():
            told = replay(stream_records(f"order:{order_id}"))
            assert told is not None
            asked = [
                (D(request.payload["order_qty"]), is_staged(request.payload))
                for request in told.requests.values()
                if request.kind == "replace" and request.state in ("released", "handed_over", "unknown")
            ]
            assert told.fixed["locate_ref"] == use.ref
            assert used == borrowed(
                cum_qty=told.cum_qty, leaves_qty=told.leaves_qty, is_open=told.is_open, is_filled=False, asked=asked
            )
    assert is_raised(f"locate:{next(use.locate_id for use in uses if use.ref == 'L2')}")  # it was over-filled


def test_who_records_and_what(world: DeskWorld) -> None:
    given: dict[str, Any] = {
        "at": AT, "account_id": world.account.id, "instrument_id": world.listing.instrument_id, "ref": "N1",
        "qty": D(5), "lender": "Prime broker", "expires_at": AT + timedelta(hours=1),
    }  # fmt: skip
    with pytest.raises(NotPermitted):
        record_locate(actor=world.dealer, **given)
    keeper = replace(world.checker, rights=frozenset({"ask_static_data"}))
    locate_id = record_locate(actor=keeper, **given)
    assert record_locate(actor=keeper, **given) == locate_id
    with pytest.raises(Conflict, match="LOCATE_EXISTS"):
        record_locate(actor=keeper, **(given | {"qty": D(6)}))
    for wrong in (
        {"qty": D(0)}, {"qty": D("NaN")}, {"qty": D("0.000000001")}, {"ref": " "}, {"ref": "x" * 65}, {"lender": ""},
        {"expires_at": AT}, {"expires_at": AT.replace(tzinfo=None)},
    ):  # fmt: skip
        with pytest.raises(Invalid, match="LOCATE_INVALID"):
            record_locate(actor=SEED, **(given | {"ref": "N2"} | wrong))
    assert Locate.objects.filter(ref__in=["N1", "N2", ""]).count() == 1
    with pytest.raises(IntegrityError, match="evidence"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_locate SET qty = 1")
    assert Order.objects.count() == 0
