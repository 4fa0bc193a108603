"""Which comparisons begin by themselves: a new file once, days with open breaks again, a session's own after a reconnect."""

from __future__ import annotations

from datetime import timedelta

import pytest

from authorisation.domain.principal import process_principal
from journal.domain.records import EventRecord
from journal.models import Event
from journal.selectors import stream_records
from kernel.errors import Invalid, NotPermitted
from reconciliation.models import Break, Run
from reconciliation.services.ask_run import ask_run
from reconciliation.services.do_run import do_run
from reconciliation.services.on_recovery_ended import handle
from reconciliation.services.start_due_runs import start_due_runs
from reconciliation.tasks import work_run
from tests.factories import AT, make_desk
from tests.factories.statements import kept_csv
from tests.factories.venues import make_session
from venues.services.record_session_event import record_session_event

pytestmark = pytest.mark.django_db

ACTOR = process_principal("test")
ROW = {"exec_id": "N1", "cl_ord_id": "Z1", "last_qty": "5", "last_px": "7.25"}


def start(**more: object) -> list[Run]:
    ids = start_due_runs(actor=ACTOR, at=AT, trigger=str(more.pop("trigger", "intraday")), **more)  # type: ignore[arg-type]
    return list(Run.objects.filter(id__in=ids).order_by("id"))


def test_a_new_file_is_compared_once_and_the_newest_of_a_day_alone() -> None:
    kept_csv("executions", [ROW], at=AT - timedelta(hours=1), statement_date=AT.date())
    newest = kept_csv("executions", [ROW, ROW], statement_date=AT.date())
    kept_csv("holdings", [{"account": "A", "isin": "GB00BH4HKS39", "qty": "1"}], statement_date=AT.date())
    kept_csv("executions", [ROW, ROW, ROW], statement_date=AT.date(), state="received", source="OTHER")
    kept_csv("executions", [ROW], source="NO DAY")
    runs = start()
    assert sorted((run.source, run.file_id == newest.id) for run in runs) == [("BROKER", True), ("OTHER", False)]
    assert start() == [], "they wait already"
    for run in runs:
        assert do_run(run_id=run.id, at=AT).state == "done"
    assert start() == []


def test_a_day_with_open_breaks_is_compared_again_until_they_are_closed() -> None:
    file = kept_csv("executions", [ROW], statement_date=AT.date())
    (first,) = start()
    do_run(run_id=first.id, at=AT)
    assert Break.objects.get().state == "open"
    (again,) = start(again=True, trigger="nightly")
    assert (again.file_id, again.trigger) == (file.id, "nightly")
    assert do_run(run_id=again.id, at=AT).standing == 1
    assert start(again=True, sources=["BANK"]) == []


def test_after_a_reconnect_the_files_of_the_session_are_compared_again() -> None:
    make_desk()
    session = make_session()
    kept_csv("executions", [ROW], statement_date=AT.date(), source=session.name)
    kept_csv("executions", [ROW], statement_date=AT.date(), source="BROKER")
    record_session_event(session=session.name, kind="RecoveryEnded", at=AT)
    events: list[EventRecord] = list(stream_records(f"session:{session.name}"))
    handle([event for event in events if event.kind == "RecoveryEnded"] * 2)
    run = Run.objects.get()
    assert (run.source, run.trigger, run.state) == (session.name, "reconnect", "waiting")


def test_a_task_that_cannot_do_its_run_leaves_a_run_that_says_why() -> None:
    file = kept_csv("executions", [{"nothing": "1"}], statement_date=AT.date())
    run_id = ask_run(kind="executions", file=file, as_of=AT.date(), actor=ACTOR, at=AT, trigger="by_hand")
    work_run(str(run_id))
    run = Run.objects.get()
    assert (run.state, "exec_id" in run.sentence) == ("failed", True)
    file.refresh_from_db()
    assert file.state == "refused"
    assert Event.objects.filter(kind="AnomalyRaised", payload__kind="RUN_FAILED").count() == 1
    sound = ask_run(
        kind="executions", file=kept_csv("executions", [ROW]), as_of=AT.date(), actor=ACTOR, at=AT, trigger="start"
    )
    do_run(run_id=sound, at=AT)
    assert Event.objects.filter(kind="AnomalyCleared", payload__kind="RUN_FAILED").count() == 1


def test_rows_that_cannot_be_used_are_named_with_the_file() -> None:
    file = kept_csv("executions", [ROW, {**ROW, "exec_id": "N2", "last_qty": "many"}], statement_date=AT.date())
    run_id = ask_run(kind="executions", file=file, as_of=AT.date(), actor=ACTOR, at=AT, trigger="by_hand")
    assert do_run(run_id=run_id, at=AT).external == 1
    file.refresh_from_db()
    assert (file.state, file.counted["refused"]) == ("partly", 1)
    assert [(one["line"], one["column"], one["code"]) for one in file.problems] == [(3, "last_qty", "NUMBER_INVALID")]


def test_what_is_refused_writes_nothing() -> None:
    file, world = kept_csv("executions", [ROW]), make_desk()
    with pytest.raises(NotPermitted):
        ask_run(kind="executions", file=file, as_of=AT.date(), actor=world.dealer, at=AT, trigger="by_hand")
    for kind, trigger in (("holdings", "by_hand"), ("executions", "whim")):
        with pytest.raises(Invalid):
            ask_run(kind=kind, file=file, as_of=AT.date(), actor=ACTOR, at=AT, trigger=trigger)
    assert Run.objects.count() == 0
