"""Breakers from facts in the tables to a person's word: opened once, cancels pass, a question tries it, a second person closes it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django_fsm import TransitionNotAllowed

from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest
from authorisation.services.decide_request import Decided
from journal.models import Event
from kernel.errors import Invalid
from orders.models import Order
from risk.domain.rates import RateKind, RateMark
from risk.models import Block, Breaker
from risk.services.decide_stop_release import decide_stop_release
from risk.services.impose_block import impose_block
from risk.services.lift_block import lift_block
from risk.services.probe_breaker import probe_breaker
from risk.services.request_stop_release import request_stop_release
from risk.services.set_rate_mark import set_rate_mark
from tests.factories import AT
from tests.factories.trading import SESSION, Desk
from tests.integration.risk.test_kill_switch import ASK, DECIDE, person
from venues.gateway.probing import probe_breakers
from venues.models import FixSession, WireMessage
from venues.services.take_over_sessions import take_over_sessions
from venues.services.watch_breakers import watch_breakers

pytestmark = pytest.mark.django_db
SUBJECT = f"session:{SESSION}"


@pytest.fixture
def desk() -> Desk:
    return Desk()


def marked(kind: RateKind, **values: Any) -> None:
    mark = RateMark(kind, **({"amount": 2, "seconds": 60, "share": 50, "pause_s": 30} | values))
    set_rate_mark(actor=Principal(1, "s", "user:1", ""), at=AT, mark=mark, effective_from=AT, set_by="t", reason="t")


def rejected(desk: Desk, count: int) -> None:
    for _ in range(count):
        order = desk.buy()
        desk.send(at=AT)
        desk.say(order, "8", "8")


def look(after_s: float = 1) -> int:
    return watch_breakers(at=AT + timedelta(seconds=after_s))


def breaker(kind: str = "rejects", subject: str = SUBJECT) -> Breaker:
    return Breaker.objects.get(kind=kind, subject=subject)


def told() -> list[str]:
    kinds = Event.objects.filter(stream__startswith="risk:breaker:").order_by("position").values_list("kind", flat=True)
    return list(kinds)


def test_inside_the_mark_it_stays_closed(desk: Desk) -> None:
    marked(RateKind.REJECTS, amount=3)
    rejected(desk, 2)
    assert (look(), Breaker.objects.count(), Block.objects.filter(lifted_at=None).count()) == (0, 0, 0)
    assert desk.buy().is_open


def test_a_reject_storm_blocks_the_venue_once_and_cancels_pass(desk: Desk) -> None:
    marked(RateKind.REJECTS)
    working = desk.buy()
    desk.send(at=AT)
    desk.say(working, "0", "0")
    rejected(desk, 2)
    assert (look(), look(2), look(3)) == (1, 0, 0)
    row = breaker()
    assert (row.state, row.openings, row.next_try_at) == ("open", 1, AT + timedelta(seconds=31))
    assert row.cause == "2 of 3 answers in 60 s were rejects (mark 2 and 50 %)."
    block = Block.objects.get(source=f"breaker:rejects:{SUBJECT}")
    assert (block.scope, block.scope_id, block.reason) == ("venue", "XLON", row.cause)
    assert told() == ["BreakerOpened"]
    assert Event.objects.filter(kind="AnomalyRaised", payload__kind="BREAKER_OPEN").count() == 1
    refused = desk.buy(outcome="refused")
    assert refused.requests.get().outcome_code == "NO_STANDING_BLOCK"
    desk.cancel(working)
    desk.send(at=AT)
    assert working.requests.get(kind="cancel").state == "handed_over"


def test_what_waited_at_the_gateway_does_not_leave_any_more(desk: Desk) -> None:
    marked(RateKind.REJECTS)
    rejected(desk, 2)
    waiting = desk.buy()
    look()
    desk.send(at=AT)
    waiting.refresh_from_db()
    assert (waiting.request_state, waiting.is_open) == ("refused", False)


def test_errors_of_the_session(desk: Desk) -> None:
    marked(RateKind.ERRORS)
    desk._store("in", [(35, "3"), (45, "7"), (58, "Required tag missing")])
    assert look() == 0
    desk._store("in", [(35, "j"), (45, "8"), (372, "D"), (380, "4")])
    assert (look(), breaker("errors").state) == (1, "open")


def test_no_answer_in_time(desk: Desk) -> None:
    marked(RateKind.LATENCY, amount=1000, burst=2)
    FixSession.objects.filter(name=SESSION).update(state="logged_on", state_at=AT - timedelta(hours=1))
    for _ in range(2):
        desk.buy()
        desk.send(at=AT)
    assert look(1) == 0  # at the mark
    assert look(1.1) == 1
    assert breaker("latency").cause == "2 of 2 messages in 60 s had no answer within 1,000 ms (mark 50 %)."


def test_what_was_sent_before_the_session_fell_is_no_latency(desk: Desk) -> None:
    marked(RateKind.LATENCY, amount=1000, burst=2)
    for _ in range(2):
        desk.buy()
        desk.send(at=AT)
    FixSession.objects.filter(name=SESSION).update(state="logged_on", state_at=AT + timedelta(seconds=1))
    assert look(30) == 0


def test_statuses_that_contradict_each_other_stop_the_session_and_at_twice_the_mark_the_firm(desk: Desk) -> None:
    marked(RateKind.INCONSISTENT, amount=1)
    orders = [desk.buy() for _ in range(2)]
    desk.send(at=AT)
    for order in orders:
        desk.say(order, "8", "8")
        desk.say(order, "0", "0")  # accepted after it was rejected
    moved = look()
    states = {row.subject: row.state for row in Breaker.objects.filter(kind="inconsistent")}
    assert (moved, states) == (2, {SUBJECT: "open", "firm": "open"})
    assert Block.objects.filter(scope="firm", source="breaker:inconsistent:firm", lifted_at=None).exists()


class Asking:
    """An engine that keeps what it was given."""

    def __init__(self) -> None:
        self.sent: list[tuple[tuple[int, str], ...]] = []

    def ask(self, name: str, fields: tuple[tuple[int, str], ...]) -> bool:
        self.sent.append(fields)
        return True


def half_open(desk: Desk) -> Asking:
    """Opened by rejects, its pause over, its question asked."""
    marked(RateKind.REJECTS)
    rejected(desk, 2)
    look()
    assert look(30) == 0  # before its pause is over
    assert (look(31), breaker().state) == (1, "half_open")
    engine = Asking()
    live = take_over_sessions(group="T1", fence=0, at=AT)[0]
    assert probe_breakers(engine, live, group="T1", now=AT + timedelta(seconds=32)) == 1  # type: ignore[arg-type]
    assert probe_breakers(engine, live, group="T1", now=AT + timedelta(seconds=33)) == 0  # type: ignore[arg-type]
    return engine


def answer(desk: Desk) -> None:
    row = breaker()
    order = Order.objects.get(requests__cl_ord_id=row.probe_cl_ord_id)
    desk.say(order, "I", "8", exec_id="0")
    with transaction.atomic():
        last = WireMessage.objects.filter(direction="in").order_by("-id").values_list("id", flat=True)[0]
        _recorded(last, AT + timedelta(seconds=33))


def _recorded(message_id: int, at: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE venues_wiremessage SET recorded_at = %s WHERE id = %s", [at, message_id])
        cursor.execute("SET LOCAL session_replication_role = origin")


def release(by: Principal, asked_by: Principal) -> Decided:
    block = Block.objects.get(source=f"breaker:rejects:{SUBJECT}", lifted_at=None)
    asked = request_stop_release(actor=asked_by, at=AT, stop_id=block.id, reason="The venue is well")
    row = AuthorisationRequest.objects.get(pk=asked.authorisation_id)
    return decide_stop_release(
        actor=by, at=AT, authorisation_id=row.pk, verdict="approve", reason_code="OTHER", reason="seen",
        payload_hash=row.payload_hash,
    )  # fmt: skip


def test_it_is_tried_by_a_question_and_never_by_an_order(desk: Desk) -> None:
    engine = half_open(desk)
    assert [fields[0] for fields in engine.sent] == [(35, "H")]
    assert desk.buy(outcome="refused").requests.get().outcome_code == "NO_STANDING_BLOCK"


def test_a_second_person_closes_it_once_the_venue_has_answered(desk: Desk) -> None:
    half_open(desk)
    asker, decider = person("asks", desk.world, ASK), person("decides", desk.world, DECIDE)
    early = release(decider, asker)
    assert (early.outcome, breaker().state) == ("not_applied", "half_open")
    answer(desk)
    look(34)
    assert breaker().answered_at is not None
    assert breaker().state == "half_open"  # it does not close by itself
    assert release(decider, asker).outcome == "applied"
    row = breaker()
    assert (row.state, row.openings) == ("closed", 0)
    assert not Block.objects.filter(lifted_at=None).exists()
    assert told() == ["BreakerOpened", "BreakerHalfOpen", "BreakerProbed", "BreakerAnswered", "BreakerClosed"]
    assert Event.objects.filter(kind="AnomalyCleared", payload__kind="BREAKER_OPEN").count() == 1
    assert (desk.buy().is_open, look(36)) == (True, 0)  # the rejects of before do not open it again


def test_without_an_answer_it_opens_again_for_twice_as_long(desk: Desk) -> None:
    half_open(desk)
    assert (look(42), look(42.1)) == (0, 1)
    row = breaker()
    assert (row.state, row.openings, row.next_try_at) == ("open", 2, AT + timedelta(seconds=42.1 + 60))
    assert "was not answered" in row.cause


def test_more_rejects_open_it_again(desk: Desk) -> None:
    half_open(desk)
    Breaker.objects.update(moved_at=AT - timedelta(seconds=1))
    assert (look(32), breaker().state, told()[-1]) == (1, "open", "BreakerReopened")


def test_a_venue_that_cannot_be_asked_is_said_so(desk: Desk) -> None:
    marked(RateKind.ERRORS)
    for _ in range(2):
        desk._store("in", [(35, "3"), (45, "7")])
    look()
    look(31)
    live = take_over_sessions(group="T1", fence=0, at=AT)[0]
    engine = Asking()
    probe_breakers(engine, live, group="T1", now=AT)  # type: ignore[arg-type]
    assert (engine.sent, breaker("errors").answer) == ([], "There was nothing to ask: no order went there lately.")


def test_nobody_goes_around_it(desk: Desk) -> None:
    marked(RateKind.REJECTS)
    rejected(desk, 2)
    look()
    row, source = breaker(), f"breaker:rejects:{SUBJECT}"
    someone = person("risk", desk.world, "impose_block")
    with pytest.raises(Invalid):
        lift_block(actor=someone, at=AT, scope="venue", scope_id="XLON", source=source, reason="please")
    with pytest.raises(Invalid):
        impose_block(actor=someone, at=AT, scope="venue", scope_id="XLON", source=source, reason="mine")
    with pytest.raises(TransitionNotAllowed):
        row.resume()
    for change in ({"state": "closed"}, {"subject": "firm"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Breaker.objects.filter(pk=row.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        Breaker.objects.all().delete()
    assert not probe_breaker(
        kind="rejects", subject=SUBJECT, at=AT, answer="well"
    )  # only what is half open is answered
    assert breaker().state == "open"
