"""At the start of the house, and because of an anomaly: what is compared, which markets wait for it, and what opens them."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from authorisation.domain.principal import process_principal
from journal.domain.records import Anomaly, EventRecord, Severity
from journal.models import Event
from journal.selectors import stream_records
from journal.services.raise_anomaly import raise_anomaly
from kernel.ids import new_id
from reconciliation.domain.suspicions import QUIET, SUSPICIOUS, Of, Suspicion, suspicion_of
from reconciliation.models import FeedFile, Run, Tolerance
from reconciliation.services.ask_run import ask_run
from reconciliation.services.begin_at_start import begin_at_start
from reconciliation.services.cancel_run import cancel_run
from reconciliation.services.compare_again import compare_again
from reconciliation.services.do_run import do_run
from reconciliation.services.on_anomaly_raised import handle
from reconciliation.services.start_due_runs import start_due_runs
from reconciliation.services.watch_start import watch_start
from risk.models import Block
from tests.factories import AT
from tests.factories.statements import kept_csv
from tests.factories.trading import Desk
from tests.factories.venues import make_session

pytestmark = pytest.mark.django_db

ACTOR = process_principal("test")
ROW = {"exec_id": "N1", "cl_ord_id": "Z1", "last_qty": "5", "last_px": "7.25"}
LATER = AT + timedelta(minutes=11)


@pytest.fixture(autouse=True)
def quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    """No broker: whoever does runs finds them."""
    monkeypatch.setattr("reconciliation.services.begin_at_start.start_run", lambda *, run_id: None)


def waiting() -> list[str]:
    standing = Block.objects.filter(source="at_start", lifted_at=None)
    return list(standing.order_by("scope_id").values_list("scope_id", flat=True))


def told() -> list[str]:
    events = Event.objects.filter(payload__kind="START_UNCOMPARED").order_by("id")
    return [one.kind for one in events]


def venue_file(*, source: str = "T1-A", row: dict[str, str] = ROW) -> FeedFile:
    return kept_csv("executions", [row], statement_date=AT.date(), source=source)


def test_a_market_waits_for_what_its_venue_said_and_opens_when_it_is_compared() -> None:
    desk = Desk()
    venue_file()
    kept_csv("positions", [{"account": "A", "isin": "GB00BH4HKS39", "qty": "1"}], statement_date=AT.date())

    assert (begin_at_start(at=AT), waiting()) == (2, ["XLON"])
    assert {run.trigger for run in Run.objects.all()} == {"start"}
    assert desk.buy(outcome="refused").ord_status is None
    assert (watch_start(at=AT + timedelta(minutes=5)), waiting(), told()) == (0, ["XLON"], [])
    assert (watch_start(at=LATER), told(), watch_start(at=LATER)) == (1, ["AnomalyRaised"], 0)

    assert begin_at_start(at=LATER) == 0, "both wait already"
    assert waiting() == ["XLON"], "started again before it was done, it waits for the same"
    do_run(run_id=Run.objects.get(kind="executions").id, at=LATER)
    assert (watch_start(at=LATER), waiting()) == (1, []), "positions hold nothing up"
    assert told() == ["AnomalyRaised", "AnomalyCleared"]
    desk.buy()
    assert (begin_at_start(at=LATER), waiting()) == (1, ["XLON"]), "its break is open: that day is compared again"


def test_who_fails_or_is_canceled_opens_nothing_and_is_asked_again() -> None:
    Desk()
    bad = venue_file(row={"nothing": "1"})
    good = venue_file(source="XLON")
    begin_at_start(at=AT)
    broken, sound = Run.objects.get(file=bad), Run.objects.get(file=good)
    with pytest.raises(Exception, match="exec_id"):
        do_run(run_id=broken.id, at=AT)
    bad.refresh_from_db()
    assert (bad.state, watch_start(at=AT), waiting()) == ("refused", 0, ["XLON"]), "an unusable file says nothing"
    cancel_run(run_id=sound.id, actor=ACTOR, at=AT)
    assert (watch_start(at=AT), waiting()) == (0, ["XLON"]), "a run that was canceled has compared nothing"
    assert (begin_at_start(at=LATER), waiting()) == (1, ["XLON"])
    do_run(run_id=Run.objects.get(file=good, created_at=LATER).id, at=LATER)
    assert (watch_start(at=LATER), waiting()) == (1, [])


def test_by_policy_trading_begins_meanwhile() -> None:
    Desk()
    venue_file()
    begin_at_start(at=AT)
    assert waiting() == ["XLON"]
    Tolerance.objects.create(
        kind="executions", source="T1-A", field="start_hold", amount=0, version=1, event_id=uuid4(), recorded_at=AT
    )
    assert (watch_start(at=AT), waiting()) == (1, []), "the policy that stands now"
    assert (begin_at_start(at=LATER), waiting()) == (0, [])


def test_an_anomaly_has_what_it_concerns_compared_once() -> None:
    desk = Desk()
    make_session(name="T2-A", group="T2", venue="T2", port=2, begin_string="FIX.4.2")
    agreed, _ = venue_file(), venue_file(source="T2-A")
    start_due_runs(actor=ACTOR, at=AT - timedelta(hours=1), trigger="intraday")
    for run in Run.objects.all():
        do_run(run_id=run.id, at=AT - timedelta(hours=1))
    order = desk.buy()

    def suspect(kind: str, of: str, name: str, evidence: dict[str, str], *, at: datetime = AT) -> EventRecord:
        key = f"test:{new_id()}"
        anomaly = Anomaly(kind, Severity.HIGH, of, name, "Test.", key, evidence)
        raise_anomaly(anomaly=anomaly, actor="process:test", at=at)
        return next(iter(stream_records(f"anomaly:{key}")))

    def asked() -> list[str]:
        return sorted(Run.objects.filter(trigger="anomaly").values_list("file__source", flat=True))

    for kind, of, name, evidence in (
        ("FILE_LATE", "feed", "X", {}),  # suggests nothing
        ("UNKNOWN_ORDER", "venue_order", "V1", {"session": "NOBODY"}),  # of a session that is not ours
        ("OVERFILL", "order", str(new_id()), {}),  # an order that is not ours
        ("OVERFILL", "order", "no id", {}),
        ("OVERFILL", "venue_order", "V1", {}),  # names no order
    ):
        handle([suspect(kind, of, name, evidence)])
    assert asked() == []

    unknown = suspect("UNKNOWN_ORDER", "venue_order", "V1", {"session": desk.session.name})
    handle([unknown, unknown])
    handle([suspect("OVERFILL", "order", str(order.id), {})])
    assert asked() == ["T1-A"], "once, though it agreed before, and whatever names it"
    do_run(run_id=Run.objects.get(trigger="anomaly").id, at=AT)
    handle([suspect("WIRE_MESSAGE_SET_ASIDE", "session", desk.session.name, {})])
    assert asked() == ["T1-A"], "not twice within ten minutes"
    handle([suspect("FSCK_FAILED", "invariant", "I4", {})])
    assert asked() == ["T1-A", "T2-A"], "the house's own concerns everybody, but who was just compared"
    handle([suspect("WIRE_MESSAGE_SET_ASIDE", "session", desk.session.name, {}, at=AT + QUIET)])
    assert asked() == ["T1-A", "T1-A", "T2-A"]
    assert Run.objects.filter(file=agreed).count() == 3


def test_what_is_suspected_in_the_quiet_time_is_compared_once_when_it_is_over() -> None:
    desk, file = Desk(), venue_file()
    near = AT + QUIET - timedelta(seconds=1)

    def suspect(minutes: int) -> None:
        at = AT + timedelta(minutes=minutes)
        anomaly = Anomaly("NO_ANSWER", Severity.HIGH, "session", desk.session.name, "Test.", f"test:{minutes}", {})
        raise_anomaly(anomaly=anomaly, actor="process:test", at=at)
        handle([next(iter(stream_records(f"anomaly:test:{minutes}")))])

    def runs() -> list[str]:
        return list(Run.objects.order_by("created_at").values_list("state", flat=True))

    suspect(0)
    suspect(1)  # nobody has begun the first one's yet: it will see this too
    assert (runs(), Run.objects.filter(again_at__isnull=False).count()) == (["waiting"], 0)
    first = Run.objects.get()
    Run.objects.update(state="running")  # it may have read already what the next is about
    suspect(2)
    assert Run.objects.get().again_at == AT + QUIET
    do_run(run_id=first.id, at=AT)
    suspect(3)
    suspect(4)
    assert (compare_again(at=near), runs()) == (0, ["done"])
    by_hand = ask_run(
        kind="executions",
        file=file,
        as_of=AT.date(),
        actor=ACTOR,
        at=AT + timedelta(minutes=5),
        trigger="by_hand",
    )
    Run.objects.filter(id=by_hand).update(state="running")
    assert compare_again(at=AT + QUIET) == 0, "not beside another"
    do_run(run_id=by_hand, at=AT + QUIET)
    assert (compare_again(at=AT + QUIET), runs()) == (1, ["done", "done", "waiting"])
    assert (compare_again(at=AT + 2 * QUIET), Run.objects.filter(trigger="anomaly").count()) == (0, 2)


def test_what_is_suspicious_is_known_and_what_comparisons_find_is_not() -> None:
    from operations.domain.exception_kinds import KINDS

    assert set(SUSPICIOUS) <= set(KINDS)
    assert not set(SUSPICIOUS) & {"RECONCILIATION_BREAK", "RUN_FAILED", "RUN_SUSPECT", "START_UNCOMPARED"}
    assert suspicion_of({"kind": "FSCK_FAILED"}) == Suspicion(Of.HOUSE)
