"""Begin or end a day of business: work its steps in order as far as they go now, and keep how far that is.

The row of the run is the whole state. Killed anywhere, called twice, called by two at once: one works, the steps that are kept
as done are not done again, and one that was done and not kept finds its own work. A step that cannot go on now says why;
the next call tries it again, and a run that stands still for long is a person's matter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

from django.db import transaction

from authorisation.domain.principal import Principal, process_principal
from journal.domain.chain import EventDraft
from journal.domain.records import Anomaly, Severity
from journal.services.append_to_stream import append_to_stream
from journal.services.set_anomaly import set_anomaly
from kernel.crash_points import crash_point
from kernel.errors import OmsError
from kernel.ids import new_id
from operations.domain.day_steps import (
    DONE,
    END,
    SAYS,
    STANDS_STILL,
    START,
    WAITING,
    Outcome,
    as_kept,
    next_step,
)
from operations.locks import working_day
from operations.models import DayRun
from operations.services import _end_of_day, _start_of_day
from reconciliation.permissions import require_work

ACTOR = process_principal("day").actor
WORK: Mapping[str, Mapping[str, Callable[[DayRun, datetime], Outcome]]] = {
    START: _start_of_day.WORK,
    END: _end_of_day.WORK,
}


def run_day(*, kind: str, place: str, day: date, actor: Principal, at: datetime) -> DayRun:
    """The run as it stands afterwards; done, waiting with a sentence, or being worked by somebody else."""
    require_work(actor)
    run = _row(kind, place, day, actor=actor.actor, at=at)
    with working_day(kind, place, day) as mine:
        if mine:
            run.refresh_from_db()
            _work(run, at)
            _tell_standing(run, at)
    run.refresh_from_db()
    return run


def _row(kind: str, place: str, day: date, *, actor: str, at: datetime) -> DayRun:
    defaults = {"id": new_id(), "started_by": actor, "created_at": at, "updated_at": at}
    return DayRun.objects.get_or_create(kind=kind, place=place, day=day, defaults=defaults)[0]


def _work(run: DayRun, at: datetime) -> None:
    while (step := next_step(run.kind, run.steps)) is not None:
        if run.state == WAITING:
            run.begin()
            run.save()
        outcome = _tried(run, step, at)
        crash_point("day.step_done")
        _keep(run, step, outcome, at)
        crash_point("day.step_kept")
        if not outcome.done:
            return


def _tried(run: DayRun, step: str, at: datetime) -> Outcome:
    """The step's outcome; what the house refuses or cannot do now is one as well."""
    try:
        return WORK[run.kind][step](run, at)
    except OmsError as error:
        return Outcome(False, error.sentence, {"code": error.code})


def _keep(run: DayRun, step: str, outcome: Outcome, at: datetime) -> None:
    run.steps = {**run.steps, step: as_kept(outcome, run.steps.get(step), at)}
    run.updated_at = at
    with transaction.atomic():
        if next_step(run.kind, run.steps) is None:
            run.finished_at = at
            run.finish()
            append_to_stream(drafts=[_event(run, at)], at=at)
        elif not outcome.done:
            run.pause()
        run.save()


def _tell_standing(run: DayRun, at: datetime) -> None:
    standing = run.state != DONE and at - run.created_at > STANDS_STILL
    step = next_step(run.kind, run.steps)
    kept = run.steps.get(step or "", {})
    sentence = (
        f"{run.get_kind_display()} {run.day} of {run.place} is not done since {run.created_at:%Y-%m-%d %H:%M} UTC: "
        f"“{SAYS[step]}” waits. {kept.get('sentence', '')}"
        if step
        else f"{run.get_kind_display()} {run.day} of {run.place} is done."
    )
    anomaly = Anomaly(
        kind="DAY_RUN_STANDS",
        severity=Severity.HIGH,
        subject_type="day_run",
        subject_id=str(run.id),
        sentence=sentence,
        dedupe_key=f"day-run:{run.kind}:{run.place}:{run.day}",
        evidence={"kind": run.kind, "place": run.place, "day": str(run.day), "step": step or ""},
    )
    set_anomaly(anomaly=anomaly, wrong=standing, actor=ACTOR, at=at)


def _event(run: DayRun, at: datetime) -> EventDraft:
    event_id = new_id()
    return EventDraft(
        id=event_id,
        stream=f"day:{run.place}",
        kind="DayStarted" if run.kind == START else "DayEnded",
        actor=ACTOR,
        correlation_id=event_id,
        event_at=at,
        received_at=at,
        business_date=run.day,
        payload={
            "run_id": str(run.id),
            "place": run.place,
            "day": str(run.day),
            "started_by": run.started_by,
            "steps": {
                step: {"sentence": kept["sentence"], "figures": kept["figures"]} for step, kept in run.steps.items()
            },
        },
    )
