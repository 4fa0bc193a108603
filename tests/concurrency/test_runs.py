"""kill -9 at every step of a reconciliation run, and the same run again: the same breaks, each told once. Two at once: one waits."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from authorisation.domain.principal import process_principal
from journal.models import Event
from kernel.errors import Conflict
from reconciliation.locks import comparing
from reconciliation.models import Break, Run, RunBreak
from reconciliation.services.ask_run import ask_run
from reconciliation.services.begin_at_start import begin_at_start
from reconciliation.services.cancel_run import cancel_run
from reconciliation.services.do_run import do_run
from risk.models import Block
from tests.concurrency.test_crash_points import killed_at
from tests.factories import AT, make_desk
from tests.factories.statements import kept_csv
from tests.factories.venues import make_session

pytestmark = pytest.mark.django_db(transaction=True)

ACTOR = process_principal("test")
ROWS = [{"exec_id": f"N{number}", "cl_ord_id": "Z1", "last_qty": "5", "last_px": "7.25"} for number in range(3)]
POINTS = ("begun", "compared", "written", "kept", "telling", "told", "ended")


@pytest.fixture(autouse=True)
def kept_elsewhere(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path


def asked() -> UUID:
    file = kept_csv("executions", ROWS)
    return ask_run(kind="executions", file=file, as_of=AT.date(), actor=ACTOR, at=AT, trigger="by_hand")


def raised() -> int:
    return Event.objects.filter(kind="AnomalyRaised", payload__kind="RECONCILIATION_BREAK").count()


@pytest.mark.parametrize("point", POINTS)
def test_a_run_that_was_killed_comes_to_the_same(point: str) -> None:
    run_id = asked()
    killed_at(f"run.{point}", lambda: do_run(run_id=run_id, at=AT))
    result = do_run(run_id=run_id, at=AT + timedelta(minutes=1))
    assert (result.state, result.external, result.written) == ("done", 3, 3)
    assert (Break.objects.count(), RunBreak.objects.count(), raised()) == (3, 3, 3)
    assert Event.objects.filter(kind="ReconciliationCompared").count() == 1


def test_two_runs_of_a_kind_and_source_are_one_after_the_other() -> None:
    run_id = asked()
    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        with comparing("executions", "BROKER"):
            held.set()
            free.wait(20)
        connection.close()

    other = threading.Thread(target=hold)
    other.start()
    assert held.wait(20)
    waited: list[float] = []
    with pytest.raises(Conflict) as told, comparing("executions", "BROKER", wait_s=0.4, sleep=waited.append):
        raise AssertionError("the other one has it")
    assert told.value.code == "RUN_UNDER_WAY"
    assert len(waited) == 2
    with comparing("executions", "BANK", wait_s=0):
        pass
    free.set()
    other.join()
    assert do_run(run_id=run_id, at=AT).written == 3


def test_a_run_that_was_canceled_keeps_nothing() -> None:
    run_id = asked()
    cancel_run(run_id=run_id, actor=ACTOR, at=AT)
    assert do_run(run_id=run_id, at=AT).state == "canceled"
    assert (Break.objects.count(), Run.objects.get().finished_at) == (0, AT)
    with pytest.raises(Conflict) as told:
        cancel_run(run_id=run_id, actor=ACTOR, at=AT)
    assert told.value.code == "RUN_ENDED"


def test_a_start_that_was_killed_leaves_nothing_and_the_next_one_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciliation.services.begin_at_start.start_run", lambda *, run_id: None)
    make_desk()
    make_session(mics=("XLON",))
    kept_csv("executions", ROWS, source="XLON", statement_date=AT.date())
    killed_at("start.asked", lambda: begin_at_start(at=AT))
    assert (Run.objects.count(), Block.objects.filter(source="at_start").count()) == (0, 0)
    assert begin_at_start(at=AT) == 1
    assert (Run.objects.get().trigger, Block.objects.get(source="at_start").scope_id) == ("start", "XLON")
