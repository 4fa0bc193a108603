"""The fate of unanswered requests: asked with growing pauses, counted, handed to a person, closed by the venue's word."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from journal.models import Event
from kernel.errors import NotFound, NotPermitted
from kernel.fix import ExecType, OrdStatus
from orders.domain.results import CaptureResult
from orders.models import Order, OrderRequest
from orders.services.apply_reports import apply_reports
from tests.factories import AT, DeskWorld, make_desk
from tests.factories.venues import make_session
from tests.integration.orders.test_apply_reports import report, sent
from venues.adapters.registry import adapter_named
from venues.domain.fix_codec import first_values, parse
from venues.domain.inquiring import REVIEW_AFTER_ATTEMPTS, pause_after
from venues.models import HandOver, Inquiry, Venue, WireIntent, WireMessage
from venues.selectors.inquiries import list_due_inquiries
from venues.services.ask_now import ask_now
from venues.services.close_inquiries import close_inquiries
from venues.services.consume_inbox import consume_inbox
from venues.services.mark_silent import mark_silent
from venues.services.record_asked import record_asked, status_request

pytestmark = pytest.mark.django_db(transaction=True)
LATER = AT + timedelta(seconds=30)


@pytest.fixture
def world() -> DeskWorld:
    return make_desk()


@pytest.fixture
def silent(world: DeskWorld) -> CaptureResult:
    """An order that was handed over on session T1-A and not answered."""
    make_session()
    Venue.objects.update(phone="+44 20 1")
    result = sent(world)
    order_id = result.order_id
    Order.objects.update(session_group="T1")
    request = OrderRequest.objects.get(order_id=order_id)
    intent = WireIntent.objects.create(
        session_group="T1", kind="new", order_id=order_id, request_id=request.id, account_id=world.account.id,
        cl_ord_id=request.cl_ord_id, payload={"message": MESSAGE}, adds_risk=True, state="handed_over",
        not_after=LATER, correlation_id=order_id, created_at=AT,
    )  # fmt: skip
    HandOver.objects.create(
        cl_ord_id=request.cl_ord_id, intent_id=intent.id, mapping="fix44/1", body="", session="T1-A", epoch="E1", fence=1,
        handed_over_at=AT,
    )  # fmt: skip
    return result


MESSAGE = {
    "symbol": "VOD.L", "mic": "XLON", "side": "1", "ord_type": "2", "time_in_force": "0", "order_qty": "10", "price": "72.5",
}  # fmt: skip


def mark(at: datetime = LATER) -> int:
    return mark_silent(group="T1", older_than=timedelta(0), sentence="No answer.", at=at)


def reviews(request_id: UUID) -> list[str]:
    rows = Event.objects.filter(stream=f"anomaly:inquiry:{request_id}").order_by("seq")
    return list(rows.values_list("kind", flat=True))


def test_a_silent_request_is_asked_for_once_a_pause_and_counted(silent: CaptureResult) -> None:
    assert (mark(), mark()) == (1, 0)
    assert OrderRequest.objects.get().state == "unknown"
    at = LATER
    for attempt in (1, 2, 3):
        due = list_due_inquiries(session="T1-A", at=at, limit=10)
        assert [q.request_id for q in due] == [silent.request_id]
        record_asked(session="T1-A", asked=due, sent=True, at=at)
        pause = pause_after(attempt)
        assert list_due_inquiries(session="T1-A", at=at + pause - timedelta(seconds=1), limit=10) == []
        at += pause
    inquiry = Inquiry.objects.get()
    assert (inquiry.attempts, inquiry.first_asked_at, inquiry.next_at) == (3, LATER, LATER + timedelta(seconds=70))
    assert Event.objects.filter(kind="RequestUnknown").count() == 1


def test_the_question_names_the_request_and_says_which_one_it_is_about(silent: CaptureResult) -> None:
    mark()
    (due,) = list_due_inquiries(session="T1-A", at=LATER, limit=10)
    fields = dict(status_request(due, adapter=adapter_named("fix44"), at=LATER))
    assert (fields[35], fields[11], fields[790]) == ("H", due.cl_ord_id, f"Q{due.cl_ord_id}")


def test_after_some_questions_a_person_is_told_whom_to_phone_and_the_venue_is_still_asked(
    silent: CaptureResult,
) -> None:
    mark()
    at = LATER
    for _ in range(REVIEW_AFTER_ATTEMPTS + 2):
        at = Inquiry.objects.get().next_at
        record_asked(session="T1-A", asked=list_due_inquiries(session="T1-A", at=at, limit=10), sent=True, at=at)
    assert reviews(silent.request_id) == ["AnomalyRaised"]
    told = Event.objects.get(stream=f"anomaly:inquiry:{silent.request_id}").payload
    assert (told["kind"], told["severity"], "+44 20 1" in told["sentence"]) == ("MANUAL_REVIEW", "critical", True)
    assert Inquiry.objects.get().next_at > at


def test_what_could_not_be_asked_counts_no_question_but_time_brings_a_person(silent: CaptureResult) -> None:
    mark()
    at = LATER
    while not reviews(silent.request_id):
        at = Inquiry.objects.get().next_at
        record_asked(session="T1-A", asked=list_due_inquiries(session="T1-A", at=at, limit=10), sent=False, at=at)
    inquiry = Inquiry.objects.get()
    assert (inquiry.attempts, inquiry.first_asked_at, at - LATER) == (0, None, timedelta(minutes=3))


def test_the_word_of_the_venue_closes_the_inquiry_and_the_matter(silent: CaptureResult) -> None:
    mark()
    at = LATER + timedelta(minutes=5)
    record_asked(session="T1-A", asked=list_due_inquiries(session="T1-A", at=at, limit=10), sent=True, at=at)
    assert (close_inquiries(group="T1", at=at), reviews(silent.request_id)) == (0, ["AnomalyRaised"])
    apply_reports(reports=[report(silent, 1, ExecType.NEW, OrdStatus.NEW)], at=at)
    assert (close_inquiries(group="T1", at=at), close_inquiries(group="T1", at=at)) == (1, 0)
    inquiry = Inquiry.objects.get()
    assert (inquiry.state, inquiry.outcome, inquiry.closed_at) == ("closed", "accepted", at)
    assert reviews(silent.request_id) == ["AnomalyRaised", "AnomalyCleared"]
    assert list_due_inquiries(session="T1-A", at=at + timedelta(days=1), limit=10) == []


def test_only_those_who_may_switch_a_session_make_it_all_due(world: DeskWorld, silent: CaptureResult) -> None:
    mark()
    record_asked(session="T1-A", asked=list_due_inquiries(session="T1-A", at=LATER, limit=10), sent=True, at=LATER)
    with pytest.raises(NotPermitted):
        ask_now(actor=world.dealer, at=LATER, name="T1-A")
    operator = replace(world.checker, rights=frozenset({"switch_session"}))
    with pytest.raises(NotFound):
        ask_now(actor=operator, at=LATER, name="T9")
    assert list_due_inquiries(session="T1-A", at=LATER, limit=10) == []
    assert ask_now(actor=operator, at=LATER, name="T1-A") == 1
    assert len(list_due_inquiries(session="T1-A", at=LATER, limit=10)) == 1
    assert Event.objects.filter(stream="session:T1-A", kind="InquiriesHurried").count() == 1


def said(session: str, seq: int, text: str) -> None:
    """A message of the venue in the inbox."""
    raw = f"8=FIX.4.4|35=8|34={seq}|52=20261120-10:01:00|{text}".replace("|", "\x01")
    values = first_values(parse(raw))
    WireMessage.objects.create(
        direction="in", session=session, epoch="E1", msg_seq_num=seq, msg_type="8", raw=raw, cl_ord_id=values[11],
        venue_order_id=values[37], recorded_at=LATER,
    )  # fmt: skip
    consume_inbox(session=session, adapter_name="fix44", shards=None, limit=100, at=LATER)


def test_an_answer_repeated_word_for_word_leaves_no_trace_in_the_order(silent: CaptureResult) -> None:
    mark()
    about = f"37=V1|11={silent.cl_ord_id}|17=0|150=I|14=0|151=1000|790=Q{silent.cl_ord_id}|"
    said("T1-A", 1, f"{about}39=A|")
    for seq in (2, 3, 4):
        said("T1-A", seq, f"{about}39=A|")
    assert Event.objects.filter(kind="ReportApplied").count() == 1
    said("T1-A", 5, f"{about}39=0|")
    assert Event.objects.filter(kind="ReportApplied").count() == 2
    assert OrderRequest.objects.get().state == "accepted"
