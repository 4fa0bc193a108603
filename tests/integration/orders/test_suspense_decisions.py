"""What lies in suspense is decided by two people: accepted, put on record, or disowned; each refusal changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypedDict

import pytest

from accounts.models import TradingAccount
from authorisation.models import AuthorisationRequest
from authorisation.services.decide_request import Decided
from journal.models import Event
from kernel.errors import Conflict, Invalid, NotPermitted, OmsError
from kernel.fix import ExecType, OrdStatus, Side
from orders.domain.report import Report
from orders.domain.results import CaptureResult
from orders.models import Order, UnknownOrder, UnmatchedReport
from orders.services._suspense import SuspenseAsked, excess_of
from orders.services.accept_excess import accept_excess
from orders.services.accept_unknown_order import accept_unknown_order
from orders.services.answer_dk import answer_dk
from orders.services.apply_reports import apply_reports
from orders.services.decide_suspense import decide_suspense
from orders.services.match_waiting_reports import match_waiting_reports
from orders.services.record_phoned_order import record_phoned_order
from orders.services.replay_orders import replay_orders
from tests.factories import DeskWorld, make_desk
from tests.integration.orders.test_apply_reports import LATER, report, sent
from tests.integration.orders.test_overfill import bust, money, suspense, trade, world
from tests.integration.orders.test_unmatched import open_anomalies, routed, stray

__all__ = ["suspense", "world"]
pytestmark = pytest.mark.django_db
D = Decimal


class Key(TypedDict):
    """What every door is given to know a repetition by."""

    idempotency_key: str
    route: str


KEY: Key = {"idempotency_key": "x1", "route": "suspense"}


def overfilled(world: DeskWorld) -> CaptureResult:
    order = sent(world)
    apply_reports(reports=[trade(order, 1, 1100)], at=LATER)
    return order


def decide(actor: Any, verdict: str = "approve") -> Decided:
    request = AuthorisationRequest.objects.get(state="pending")
    return decide_suspense(
        actor=actor, at=LATER, authorisation_id=request.id, verdict=verdict, reason_code="CLIENT_CONFIRMED",
        reason="Spoken to the venue.", payload_hash=request.payload_hash,
    )  # fmt: skip


def everything() -> tuple[Any, ...]:
    return (
        Order.objects.values("cum_qty", "accepted_excess", "version", "last_event_seq").get(),
        Event.objects.exclude(kind="SelfApprovalRefused").count(),
        AuthorisationRequest.objects.values_list("state").first(),
    )


def refused(code: str, kind: type[OmsError], call: Callable[[], object]) -> None:
    before = everything()
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.code == code
    assert everything() == before


def test_accepted_excess_becomes_the_orders_own(world: DeskWorld, suspense: TradingAccount) -> None:
    order = overfilled(world)
    asked = accept_excess(actor=world.dealer, at=LATER, **KEY, order_id=order.order_id, reason="Client takes it.")
    assert money(suspense) == (D("-72.50"), D(100))
    assert "waits for a second person" in asked.sentence
    assert decide(world.checker).outcome == "applied"
    assert (money(world.account), money(suspense)) == ((D("-797.50"), D(1100)), (D(0), D(0)))
    assert (Order.objects.get().accepted_excess, open_anomalies()) == (D(100), [])
    row = Order.objects.get()
    assert (row.overfilled, row.needs_attention, row.excess_accepted) == (True, "", True)
    assert replay_orders(order_ids=[row.id]).differences == []
    told = Event.objects.filter(stream=f"order:{order.order_id}").order_by("seq").values_list("kind", flat=True)
    assert list(told)[-2:] == ["ExcessAccepted", "ExcessMoved"]


def test_a_part_may_be_accepted_and_what_comes_later_asks_again(world: DeskWorld, suspense: TradingAccount) -> None:
    order = overfilled(world)
    accept_excess(actor=world.dealer, at=LATER, **KEY, order_id=order.order_id, reason="Part.", qty=D(40))
    decide(world.checker)
    assert (money(suspense), open_anomalies()) == ((D("-43.50"), D(60)), ["OVERFILL"])
    assert (Order.objects.get().needs_attention, Order.objects.get().excess_accepted) == ("OVERFILL", False)
    apply_reports(reports=[trade(order, 2, 10), bust(order, 3, of=1)], at=LATER)
    assert (money(suspense), open_anomalies()) == ((D(0), D(0)), [])


def test_what_is_executed_beyond_what_was_accepted_needs_attention_again(
    world: DeskWorld, suspense: TradingAccount
) -> None:
    order = overfilled(world)
    accept_excess(actor=world.dealer, at=LATER, **KEY, order_id=order.order_id, reason="Client takes it.")
    decide(world.checker)
    apply_reports(reports=[trade(order, 2, 10)], at=LATER)
    row = Order.objects.get()
    assert (row.needs_attention, row.excess_accepted, open_anomalies()) == ("OVERFILL", False, ["OVERFILL"])
    assert replay_orders(order_ids=[row.id]).differences == []


def anew(order: CaptureResult, seq: int, qty: int) -> Report:
    """The venue states it for a split."""
    return report(order, seq, ExecType.RESTATED, OrdStatus.FILLED, order_qty=D(qty), restatement_reason="0")


def test_a_split_makes_of_what_was_accepted_what_it_makes_of_everything(
    world: DeskWorld, suspense: TradingAccount
) -> None:
    """Three for one: nothing is asked anew and nothing moves; what comes later is in excess by its new shares alone."""
    order = overfilled(world)
    accept_excess(actor=world.dealer, at=LATER, **KEY, order_id=order.order_id, reason="Part.", qty=D(40))
    decide(world.checker)
    lying = money(suspense)
    apply_reports(reports=[anew(order, 4, 3000)], at=LATER)
    row = Order.objects.get()
    assert (row.accepted_excess, row.cum_qty, excess_of(row), row.needs_attention) == (
        D(120),
        D(3300),
        D(180),
        "OVERFILL",
    )
    assert (money(suspense), lying) == ((D("-43.50"), D(60)), lying), "60 shares of the trade lie there, as before"
    told = Event.objects.filter(kind="ReportApplied").order_by("id").values_list("payload__moved", flat=True)
    assert [one["accepted_excess"] for one in told if one and "accepted_excess" in one] == ["120"]

    key: Key = {"idempotency_key": "x2", "route": "suspense"}
    accept_excess(actor=world.dealer, at=LATER, **key, order_id=order.order_id, reason="The rest.")
    decide(world.checker)
    row.refresh_from_db()
    assert (row.accepted_excess, row.needs_attention, row.excess_accepted) == (D(300), "", True)
    assert (money(suspense), open_anomalies()) == ((D(0), D(0)), [])
    apply_reports(reports=[trade(order, 5, 7)], at=LATER)
    assert (excess_of(Order.objects.get()), open_anomalies()) == (D(7), ["OVERFILL"])
    # What comes late and belongs before all of it changes what the venue speaks in, and so both acceptances.
    apply_reports(reports=[anew(order, 3, 2000)], at=LATER)
    row.refresh_from_db()
    assert (row.order_qty, row.accepted_excess) == (D(3000), D(120) + D(180))
    apply_reports(reports=[anew(order, 6, 1500)], at=LATER)
    row.refresh_from_db()
    assert (row.order_qty, row.accepted_excess, excess_of(row)) == (D(1500), D(150), D("3.5"))
    assert replay_orders(order_ids=[row.id]).differences == []


def test_what_was_asked_in_old_shares_is_not_accepted_in_new_ones(world: DeskWorld, suspense: TradingAccount) -> None:
    order = overfilled(world)
    accept_excess(actor=world.dealer, at=LATER, **KEY, order_id=order.order_id, reason="Client takes it.")
    apply_reports(reports=[anew(order, 2, 3000)], at=LATER)
    before = Order.objects.values("version", "accepted_excess").get()
    assert decide(world.checker).outcome == "not_applied"
    assert Order.objects.values("version", "accepted_excess").get() == before
    assert money(suspense) == (D("-72.50"), D(100))


def test_declined_excess_stays_where_it_is(world: DeskWorld, suspense: TradingAccount) -> None:
    order = overfilled(world)
    accept_excess(actor=world.dealer, at=LATER, **KEY, order_id=order.order_id, reason="Client takes it.")
    assert decide(world.checker, "decline").outcome == "declined"
    assert (money(suspense), Order.objects.get().accepted_excess) == ((D("-72.50"), D(100)), D(0))


def test_an_approval_after_the_bust_is_not_applied(world: DeskWorld, suspense: TradingAccount) -> None:
    order = overfilled(world)
    accept_excess(actor=world.dealer, at=LATER, **KEY, order_id=order.order_id, reason="Client takes it.")
    apply_reports(reports=[bust(order, 2, of=1)], at=LATER)
    assert decide(world.checker).outcome == "not_applied"
    assert (Order.objects.get().accepted_excess, money(suspense)) == (D(0), (D(0), D(0)))


def test_who_may_not_and_what_cannot_be(world: DeskWorld, suspense: TradingAccount) -> None:
    order = overfilled(world)
    arguments: dict[str, Any] = {"at": LATER, "order_id": order.order_id, "reason": "x", **KEY}
    other = make_desk("EQ2").dealer
    refused("ORDER_UNKNOWN", OmsError, lambda: accept_excess(actor=other, **arguments))
    refused("NO_EXCESS", Conflict, lambda: accept_excess(actor=world.dealer, qty=D(101), **arguments))
    refused("REASON_INVALID", Invalid, lambda: accept_excess(actor=world.dealer, **(arguments | {"reason": " "})))
    once_dealer = replace(world.checker, rights=frozenset({"enter_order"}))
    accept_excess(actor=once_dealer, **arguments)
    refused("DECISION_PENDING", Conflict, lambda: answer_dk(actor=world.dealer, **arguments))
    refused("IDEMPOTENCY_CONFLICT", Conflict, lambda: accept_excess(actor=once_dealer, qty=D(7), **arguments))
    refused("SELF_APPROVAL", NotPermitted, lambda: decide(world.checker))
    refused("RIGHT_MISSING", NotPermitted, lambda: decide(world.dealer))


def test_a_repeated_key_is_answered_as_before_and_asks_nothing(world: DeskWorld, suspense: TradingAccount) -> None:
    order = overfilled(world)
    arguments: dict[str, Any] = {"actor": world.dealer, "at": LATER, "order_id": order.order_id, "reason": "Client's."}
    first = accept_excess(**arguments, **KEY)
    before = everything()
    again = accept_excess(**arguments, **KEY)
    assert (again.authorisation_id, again.sentence, again.replayed) == (first.authorisation_id, first.sentence, True)
    refused("DECISION_PENDING", Conflict, lambda: accept_excess(**arguments, idempotency_key="x2", route="suspense"))
    assert everything() == before
    assert decide(world.checker).outcome == "applied"
    assert accept_excess(**arguments, **KEY).authorisation_id == first.authorisation_id
    assert AuthorisationRequest.objects.count() == 1


def test_the_other_doors_know_a_repeated_key_too(world: DeskWorld, suspense: TradingAccount) -> None:
    row = unknown(world, suspense)
    calls: list[Callable[[str], SuspenseAsked]] = [
        lambda key: accept_unknown_order(
            actor=world.dealer, at=LATER, idempotency_key=key, route="suspense", unknown_id=row.id,
            account=world.account.code, session_group="SIM1", reason="Phoned.",
        ),
        lambda key: answer_dk(
            actor=world.dealer, at=LATER, idempotency_key=key, route="suspense", unknown_id=row.id, reason="Never sent.",
        ),
    ]  # fmt: skip
    for number, call in enumerate(calls, 1):
        first, again = call(f"k{number}"), call(f"k{number}")
        assert (again.authorisation_id, again.replayed, first.replayed) == (first.authorisation_id, True, False)
        assert AuthorisationRequest.objects.count() == number
        decide(world.checker, "decline")


def test_dk_tells_routing_what_to_say_and_leaves_the_money(world: DeskWorld, suspense: TradingAccount) -> None:
    order = overfilled(world)
    answer_dk(actor=world.dealer, at=LATER, **KEY, order_id=order.order_id, reason="Not ours.")
    assert decide(world.checker).outcome == "applied"
    payload = Event.objects.get(kind="TradesDisowned").payload
    assert (payload["dk_reason"], payload["venue_order_id"], payload["message"]["symbol"]) == ("C", "V1", "VOD.L")
    assert payload["trades"] == [{"exec_id": "X1", "last_qty": "1100", "last_px": "72.5"}]
    assert (money(suspense), open_anomalies()) == ((D("-72.50"), D(100)), ["OVERFILL"])


def unknown(world: DeskWorld, suspense: TradingAccount) -> UnknownOrder:
    """A trade of 400 on V9, in the firm's suspense account."""
    apply_reports(reports=[stray(routed(world), order_qty=D(400))], at=LATER)
    row = UnknownOrder.objects.get()
    assert (row.state, row.account_id) == ("suspense", firm().id)
    return row


def firm() -> TradingAccount:
    """The firm's suspense account."""
    return TradingAccount.objects.get(code="FIRM-SUSPENSE")


def test_an_unknown_order_is_put_on_record_for_an_account(world: DeskWorld, suspense: TradingAccount) -> None:
    row = unknown(world, suspense)
    accept_unknown_order(
        actor=world.dealer,
        at=LATER,
        **KEY,
        unknown_id=row.id,
        account=world.account.code,
        session_group="SIM1",
        reason="Phoned.",
    )
    assert decide(world.checker).outcome == "applied"
    order = Order.objects.get(venue_order_id="V9")
    assert (order.owner_id, order.account_id, order.cum_qty, order.ord_status) == (
        world.dealer.user_id, world.account.id, D(400), "2",
    )  # fmt: skip
    row.refresh_from_db()
    assert (row.state, row.order_id, row.booked_qty, open_anomalies()) == ("accepted", order.id, D(0), [])
    assert money(world.account) == (D("-289.60"), D(400))
    assert money(firm()) == (D(0), D(0))
    later = stray(routed_twin(order), 3, venue_order_id="V9", last_qty=D(1))
    apply_reports(reports=[later], at=LATER)
    assert UnmatchedReport.objects.filter(order=None).count() == 0


def routed_twin(order: Order) -> CaptureResult:
    """A stand-in for builders of reports: only the name matters."""
    return CaptureResult(order.id, order.ref, order.id, "", "", "", ())


def test_an_unknown_order_is_disowned_and_leaves_when_the_venue_busts(
    world: DeskWorld, suspense: TradingAccount
) -> None:
    row = unknown(world, suspense)
    answer_dk(actor=world.dealer, at=LATER, **KEY, unknown_id=row.id, reason="Never sent.")
    assert decide(world.checker).outcome == "applied"
    row.refresh_from_db()
    event = Event.objects.get(kind="TradesDisowned")
    assert (row.state, event.stream, event.payload["dk_reason"]) == ("dk", f"unknown:{row.id}", "D")
    gone = stray(routed_twin(Order.objects.get()), 3, exec_type=ExecType.TRADE_CANCEL, exec_ref_id="X2")
    apply_reports(reports=[gone], at=LATER)
    assert money(firm()) == (D(0), D(0))


def test_what_is_known_by_now_is_not_decided_any_more(world: DeskWorld, suspense: TradingAccount) -> None:
    row = unknown(world, suspense)
    record_phoned_order(
        actor=world.dealer, at=LATER, account=world.account.code, symbol=world.listing.symbol, side=Side.BUY,
        session_group="SIM1", venue_order_id="V9",
    )  # fmt: skip
    match_waiting_reports(at=LATER)
    before = Event.objects.count(), AuthorisationRequest.objects.count()
    with pytest.raises(Conflict, match="UNKNOWN_ORDER_CLOSED"):
        answer_dk(actor=world.dealer, at=LATER, **KEY, unknown_id=row.id, reason="Never sent.")
    assert (Event.objects.count(), AuthorisationRequest.objects.count()) == before


def test_nobody_guesses_what_an_unknown_order_traded(world: DeskWorld, suspense: TradingAccount) -> None:
    apply_reports(reports=[stray(routed(world), side="")], at=LATER)
    row = UnknownOrder.objects.get()
    arguments: dict[str, Any] = {"at": LATER, "unknown_id": row.id, "session_group": "SIM1", "reason": "x", **KEY}
    vague = {"actor": world.dealer, "account": world.account.code, **arguments}
    refused("UNKNOWN_ORDER_VAGUE", Conflict, lambda: accept_unknown_order(**vague))
