"""kill -9 at every step between store, commit, send and mark, and the same call again afterwards: nothing lost, nothing twice.

The gateway's and the inbox's points are in ``test_gateway_crashes``; here are those of the doors and of the relay. The last
test finds every point in the source: one that nobody kills at fails it.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from accounts.models import CashBalance, Reservation
from authorisation.domain.principal import process_principal
from authorisation.models import AuthorisationRequest, Decision
from journal.domain.chain import verify_chain
from journal.models import Event, IdempotencyKey
from journal.selectors import stream_events
from journal.services.run_listener import run_listener
from kernel import crash_points
from kernel.fix import ExecType, OrdStatus
from kernel.ids import new_id
from orders.domain.results import CaptureResult
from orders.domain.terms import ReplaceTerms
from orders.models import Order, OrderRequest, StoppedOrder
from orders.services import on_kill_switch
from orders.services.apply_reports import apply_reports
from orders.services.cancel_order import cancel_order
from orders.services.cancel_stopped import cancel_stopped
from orders.services.capture_order import capture_order
from orders.services.capture_orders import capture_orders
from orders.services.decide_order_request import decide_order_request
from orders.services.enter_staged import enter_staged
from orders.services.record_hand_over import record_hand_over
from orders.services.replace_order import replace_order
from orders.services.stage_replace import stage_replace
from risk.domain.limit_change import LimitChange
from risk.models import Block, Limit, LimitUsage
from risk.services.decide_limit_change import decide_limit_change
from risk.services.decide_stop_release import decide_stop_release
from risk.services.engage_kill_switch import engage_kill_switch
from risk.services.request_limit_change import request_limit_change
from risk.services.request_stop_release import request_stop_release
from tests.factories import AT, DeskWorld, make_desk, make_principal, terms
from tests.factories.venues import make_session
from tests.integration.orders.test_apply_reports import report
from venues.models import FixSession, RouteDecision, WireIntent
from venues.services import on_order_released

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).parents[2]
DOORS = {
    *("capture.written", "capture.committed", "capture_batch.written", "capture_batch.committed"),
    *("replace.written", "cancel.written", "decide.written"),
    *("stage.written", "staged.released", "staged.captured", "staged.written", "staged.committed"),
    *("kill.pressed", "kill.engaged", "kill_sweep.written", "kill_sweep.committed", "kill.released"),
    "limit.changed",
}
RELAY = {"listener_before_commit", "listener_after_commit"}
ELSEWHERE = {
    # tests/concurrency/test_gateway_crashes.py
    *("before_hand_over", "after_hand_over", "between_sends", "after_send"),
    *("policy.written", "policy.settled", "repair.written"),  # tests/concurrency/test_breaks.py
    # tests/concurrency/test_intakes.py
    *("intake.begun", "intake.promised", "intake.weighed", "intake.booked"),
    *("day.step_done", "day.step_kept"),  # tests/concurrency/test_day_runs.py
    # tests/concurrency/test_feed_files.py
    *("feed_file.fetched", "feed_file.kept", "feed_file.written", "feed_file.received"),
    # tests/concurrency/test_runs.py
    *("run.begun", "run.compared", "run.written", "run.kept", "run.telling", "run.told", "run.ended"),
    "start.asked",  # the same
    *("archive.written", "archive.moved"),  # tests/concurrency/test_archives.py
    *("breaker.tripped", "breaker.probed"),  # tests/concurrency/test_breakers.py
    # tests/concurrency/test_corporate_actions.py
    *("action.begun", "action.planned", "action.canceled", "action.finished"),
    *("action.account_written", "action.account_booked", "action.account_reversed"),
    *("notes.written", "notes.told", "notes.filed"),  # tests/concurrency/test_notes.py
    *("webhook.sent", "webhook.settled"),  # tests/concurrency/test_webhooks.py
    # tests/concurrency/test_settlement_crashes.py
    *("settlement.written", "settlement.committed", "settlement_file.put"),
    *("statuses.stored", "statuses.applied", "statuses.committed"),
    *(
        "claims.kept",
        "claims.ended",
        "instructions.transformed",
        "fractions.booked",
    ),  # tests/concurrency/test_claim_crashes.py
    # tests/concurrency/test_blocks.py
    *("round.undone", "round.told", "round.booked", "allocation.committed", "parked.released"),
    # tests/concurrency/test_post_trade_crashes.py
    *("post_trade.hand_over", "post_trade.mapped", "post_trade.appended"),
    *("post_trade.again", "before_text_stored"),  # tests/integration/venues/test_post_trade_fates.py
    *("before_report_stored", "after_report_stored", "inbox_before_commit", "inbox_after_commit"),
}


def killed_at(point: str, work: Callable[[], Any]) -> None:
    """Do the work in a forked process that dies at the point; the test fails when it does not."""
    pid = os.fork()
    if pid == 0:
        connections["default"].connection = None  # the parent's socket is not ours to speak on
        crash_points._wanted = point
        try:
            work()
        finally:
            os._exit(7)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), f"{point} was not passed"
    assert os.WTERMSIG(status) == signal.SIGKILL


@pytest.fixture
def world() -> DeskWorld:
    return make_desk()


def capture(world: DeskWorld, **changes: Any) -> CaptureResult:
    return capture_order(
        actor=world.dealer, at=AT, idempotency_key="one", route="api", terms=terms(world, **changes), source="api"
    )


def chains_hold() -> bool:
    streams = Event.objects.values_list("stream", flat=True).distinct()
    return all(verify_chain(stream_events(stream)) == [] for stream in streams)


@pytest.mark.parametrize(("point", "kept"), [("capture.written", 0), ("capture.committed", 1)])
def test_a_capture_killed_is_there_wholly_or_not_at_all(world: DeskWorld, point: str, kept: int) -> None:
    killed_at(point, lambda: capture(world))
    assert (Order.objects.count(), OrderRequest.objects.count(), IdempotencyKey.objects.count()) == (kept, kept, kept)
    assert Reservation.objects.count() == kept
    again = capture(world)
    assert again.replayed is bool(kept)
    assert (Order.objects.count(), Event.objects.filter(kind="OrderReleased").count()) == (1, 1)
    assert Reservation.objects.get().cash == Decimal("725.00")
    assert chains_hold()


@pytest.mark.parametrize(("point", "kept"), [("capture_batch.written", 0), ("capture_batch.committed", 3)])
def test_a_batch_killed_and_sent_again_has_each_row_once(world: DeskWorld, point: str, kept: int) -> None:
    rows = [(f"r{n}", terms(world, order_qty=Decimal(100 + n))) for n in range(3)]

    def send() -> Any:
        return capture_orders(actor=world.dealer, at=AT, idempotency_key="batch", route="api", rows=rows, source="api")

    killed_at(point, send)
    assert Order.objects.count() == kept
    send()
    assert list(Order.objects.order_by("order_qty").values_list("order_qty", flat=True)) == [
        Decimal(100),
        Decimal(101),
        Decimal(102),
    ]
    assert Reservation.objects.count() == 3
    assert chains_hold()


@pytest.fixture
def working(world: DeskWorld) -> Order:
    result = capture(world)
    record_hand_over(request_ids=[result.request_id], at=AT)
    return Order.objects.get()


def test_a_replace_killed_before_its_commit_never_was(world: DeskWorld, working: Order) -> None:
    def send() -> Any:
        return replace_order(
            actor=world.dealer,
            at=AT,
            idempotency_key="two",
            route="api",
            order_id=working.id,
            terms=ReplaceTerms(order_qty=Decimal(1500)),
        )

    killed_at("replace.written", send)
    assert list(OrderRequest.objects.values_list("kind", flat=True)) == ["new"]
    assert Reservation.objects.get().cash == Decimal("725.00")
    assert send().replayed is False
    assert list(OrderRequest.objects.order_by("seq").values_list("kind", flat=True)) == ["new", "replace"]
    assert Reservation.objects.get().cash == Decimal("1087.50")
    assert chains_hold()


def test_a_cancel_killed_before_its_commit_never_was(world: DeskWorld, working: Order) -> None:
    def send() -> Any:
        return cancel_order(
            actor=world.dealer, at=AT, idempotency_key="two", route="api", order_id=working.id, reason="test"
        )

    killed_at("cancel.written", send)
    assert OrderRequest.objects.count() == 1
    assert send().replayed is False
    assert OrderRequest.objects.filter(kind="cancel").count() == 1
    assert chains_hold()


def stage(world: DeskWorld, order: Order) -> Any:
    return stage_replace(
        actor=world.dealer, at=AT, idempotency_key="two", route="api", order_id=order.id,
        terms=ReplaceTerms(order_qty=Decimal(1500), price=Decimal("72.40")),
    )  # fmt: skip


def test_a_staged_replace_killed_before_its_commit_never_was(world: DeskWorld, working: Order) -> None:
    killed_at("stage.written", lambda: stage(world, working))
    assert (OrderRequest.objects.count(), Reservation.objects.get().cash) == (1, Decimal("725.00"))
    assert stage(world, working).replayed is False
    assert list(OrderRequest.objects.order_by("seq").values_list("kind", flat=True)) == ["new", "replace", "cancel"]
    assert Reservation.objects.get().cash == Decimal("1086.00")
    assert chains_hold()


@pytest.mark.parametrize(
    ("point", "kept"), [("staged.released", 1), ("staged.captured", 1), ("staged.written", 1), ("staged.committed", 2)]
)
def test_entering_anew_killed_enters_once_and_holds_all_along(
    world: DeskWorld, working: Order, point: str, kept: int
) -> None:
    stage(world, working)
    record_hand_over(request_ids=[OrderRequest.objects.get(kind="cancel").id], at=AT)
    first = CaptureResult(working.id, working.ref, working.id, str(working.cl_ord_id), "", "", ())
    gone = report(first, 1, ExecType.CANCELED, OrdStatus.CANCELED, cum_qty=Decimal(0))
    apply_reports(reports=[gone], at=AT)
    killed_at(point, lambda: enter_staged(at=AT))
    assert (Order.objects.count(), CashBalance.objects.get().reserved) == (kept, Decimal("1086.00"))
    assert enter_staged(at=AT) == 2 - kept
    assert enter_staged(at=AT) == 0
    assert Order.objects.filter(replaces_id=working.id).count() == 1
    assert CashBalance.objects.get().reserved == Decimal("1086.00")
    assert OrderRequest.objects.get(kind="replace").state == "accepted"
    assert chains_hold()


def test_a_decision_killed_before_its_commit_may_be_taken_again(world: DeskWorld) -> None:
    held = capture(world, order_qty=Decimal(60_000))
    assert held.authorisation_id is not None
    authorisation_id = held.authorisation_id

    def decide() -> Any:
        return decide_order_request(
            actor=world.checker,
            at=AT,
            authorisation_id=authorisation_id,
            verdict="approve",
            payload_hash=AuthorisationRequest.objects.get().payload_hash,
            reason_code="",
            reason="",
        )

    killed_at("decide.written", decide)
    assert OrderRequest.objects.get().state == "pending_authorisation"
    assert Decision.objects.count() == 0
    assert decide().outcome == "applied"
    assert (OrderRequest.objects.get().state, Decision.objects.count()) == ("released", 1)
    assert Event.objects.filter(kind="OrderReleased").count() == 1
    assert chains_hold()


def press() -> Any:
    return engage_kill_switch(actor=process_principal("test"), at=AT, scopes=[("firm", "")], reason="Runaway")


@pytest.mark.parametrize(("point", "kept"), [("kill.pressed", 0), ("kill.engaged", 1)])
def test_a_press_killed_stands_wholly_or_not_at_all(world: DeskWorld, point: str, kept: int) -> None:
    killed_at(point, press)
    assert Block.objects.filter(source="kill_switch").count() == kept
    assert Event.objects.filter(kind="KillSwitchEngaged").count() == kept
    assert press().stops[0].changed is not bool(kept)
    assert Block.objects.filter(source="kill_switch", lifted_at=None).count() == 1
    assert Event.objects.filter(kind__in=["KillSwitchEngaged", "AnomalyRaised"]).count() == 2
    assert chains_hold()


@pytest.mark.parametrize(("point", "kept"), [("kill_sweep.written", 0), ("kill_sweep.committed", 1)])
def test_a_sweep_killed_cancels_each_order_once(
    world: DeskWorld, working: Order, monkeypatch: pytest.MonkeyPatch, point: str, kept: int
) -> None:
    capture_order(actor=world.dealer, at=AT, idempotency_key="unsent", route="api", terms=terms(world), source="api")
    monkeypatch.setattr("orders.services.cancel_stopped.SLICE", 1)
    press()
    kinds = ("KillSwitchEngaged", "KillSwitchReleased")
    run_listener(name="orders.kill_switch", kinds=kinds, handle=on_kill_switch.handle, at=AT)
    killed_at(point, lambda: cancel_stopped(at=AT))
    assert StoppedOrder.objects.count() == kept
    assert OrderRequest.objects.filter(kind="cancel").count() == kept
    while cancel_stopped(at=AT):
        pass
    assert sorted(StoppedOrder.objects.values_list("found", flat=True)) == ["unsent", "working"]
    assert [OrderRequest.objects.filter(kind=kind).count() for kind in ("new", "cancel")] == [2, 1]
    assert Event.objects.filter(kind="CancelReleased").count() == 1
    assert CashBalance.objects.get().reserved == Decimal("725.00")
    assert chains_hold()


def test_a_release_killed_before_its_commit_may_be_decided_again(world: DeskWorld) -> None:
    risk = make_principal("risk", role="risk", rights=(), desks=(world.desk,), groups=(world.group,))
    risk = replace(risk, rights=frozenset({"decide_risk_change"}))
    stop_id = press().stops[0].stop_id
    asking = replace(world.dealer, rights=frozenset({"engage_kill_switch"}))
    asked = request_stop_release(actor=asking, at=AT, stop_id=stop_id, reason="Cause found")

    def decide() -> Any:
        return decide_stop_release(
            actor=risk, at=AT, authorisation_id=asked.authorisation_id, verdict="approve", reason_code="", reason="",
            payload_hash=AuthorisationRequest.objects.get().payload_hash,
        )  # fmt: skip

    killed_at("kill.released", decide)
    assert (Block.objects.get(id=stop_id).lifted_at, Decision.objects.count()) == (None, 0)
    assert decide().outcome == "applied"
    assert Event.objects.filter(kind="KillSwitchReleased").count() == 1
    assert chains_hold()


def test_a_limit_killed_before_its_commit_may_be_decided_again(world: DeskWorld) -> None:
    risk = replace(
        make_principal("risk", role="risk", rights=(), desks=(world.desk,), groups=(world.group,)),
        rights=frozenset({"decide_risk_change"}),
    )
    asking = replace(world.dealer, rights=frozenset({"ask_risk_change"}))
    change = LimitChange("firm", "", "open_notional", "GBP", Decimal(800), Decimal(1000), "risk")
    asked = request_limit_change(actor=asking, at=AT, change=change, reason="First mark")

    def decide() -> Any:
        return decide_limit_change(
            actor=risk, at=AT, authorisation_id=asked.authorisation_id, verdict="approve", reason_code="", reason="",
            payload_hash=AuthorisationRequest.objects.get().payload_hash,
        )  # fmt: skip

    killed_at("limit.changed", decide)
    marks = Limit.objects.filter(kind="open_notional")
    assert (marks.count(), LimitUsage.objects.count(), Decision.objects.count()) == (0, 0, 0)
    assert (AuthorisationRequest.objects.get().state, capture(world).outcome) == ("pending", "released")
    assert decide().outcome == "applied"
    assert (marks.get().hard, LimitUsage.objects.get(key="firm:").open_orders) == (Decimal(1000), 1)
    assert Event.objects.filter(kind="LimitChanged").count() == 1
    assert chains_hold()


@pytest.mark.parametrize(("point", "kept"), [("listener_before_commit", 0), ("listener_after_commit", 1)])
def test_the_relay_killed_routes_each_order_once(world: DeskWorld, point: str, kept: int) -> None:
    make_session(mics=("XLON",))
    FixSession.objects.update(state=FixSession.State.LOGGED_ON)
    capture(world)

    def relay() -> Any:
        kinds = ("OrderReleased", "ReplaceReleased", "CancelReleased")
        return run_listener(name="venues.route", kinds=kinds, handle=on_order_released.handle, at=AT)

    killed_at(point, relay)
    assert (WireIntent.objects.count(), RouteDecision.objects.count()) == (kept, kept)
    relay()
    relay()
    assert (WireIntent.objects.count(), RouteDecision.objects.count()) == (1, 1)
    assert Event.objects.filter(kind="OrderRouted").count() == 1
    assert chains_hold()


def test_every_crash_point_of_the_house_is_killed_at() -> None:
    named = re.compile(r'\bcrash_point\("([^"]+)"\)')
    sources = (path for path in ROOT.glob("*/**/*.py") if path.parts[len(ROOT.parts)] not in ("tests", "var", ".venv"))
    found = {name for path in sources for name in named.findall(path.read_text())}
    assert found == DOORS | RELAY | ELSEWHERE


def test_an_unnamed_crash_point_lets_pass() -> None:
    crash_points.crash_point(str(new_id()))
