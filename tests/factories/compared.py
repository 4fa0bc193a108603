"""Runs and breaks as matching would leave them: rows alone, without a file being read. For pages and whatever stands on breaks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Max

from authorisation.services.raise_request import raise_request
from authorisation.services.record_decision import record_decision
from kernel.ids import new_id
from reconciliation.domain import transitions as moves
from reconciliation.models import Break, FeedFile, Run, RunBreak
from reconciliation.permissions import DECIDE_BREAK, WORK_BREAK
from tests.factories import AT, make_principal

BEGUN, TOOK = AT, timedelta(seconds=31)
FIX_LINE = (
    "8=FIX.4.4|9=120|35=8|34=10442|11=O-1/1|37=BR77120|17=9F31|150=F|39=2|32=200|31=231.50|14=20000|151=0|"
    "60=20261120-15:22:41.118|10=000|"
)
RAW = {"raw": FIX_LINE, "file": "fills.log", "line": 4118, "sha256": "9b1c" * 16, "exec_id": "9F31"}


def make_file(name: str = "fills.log", *, source: str = "XLON", kind: str = "executions", **values: Any) -> FeedFile:
    """A file that was read, with a digest of its own."""
    defaults: dict[str, Any] = {
        "sha256": new_id().hex * 2,
        "size": 123_456,
        "received_by": "process:test",
        "received_at": AT,
    }
    return FeedFile.objects.create(id=new_id(), kind=kind, source=source, name=name, **(defaults | values))


def make_run(kind: str = "executions", *, source: str = "XLON", at: datetime = BEGUN, **values: Any) -> Run:
    """A run that ended after 31 seconds with 18,191 of 18,204 and 18,206 records matched. ``state`` is reached as runs reach it."""
    state = values.pop("state", moves.DONE)
    defaults: dict[str, Any] = {
        "as_of": at.date(),
        "trigger": "by_hand",
        "internal": 18_204,
        "external": 18_206,
        "matched": 18_191,
        "started_by": "process:test",
        "created_at": at,
        "started_at": at,
        "finished_at": at + TOOK if state in moves.ENDED else None,
    }
    run = Run.objects.create(id=new_id(), kind=kind, source=source, **(defaults | values))
    for step in {moves.WAITING: (), moves.RUNNING: (moves.RUNNING,)}.get(state, (moves.RUNNING, state)):
        run.state = step
        run.save(update_fields=["state"])
    return run


def make_breaks(run: Run, count: int = 1, *, word: str = "new", **values: Any) -> list[Break]:
    """``count`` open breaks that the run found, each about an execution of its own unless told otherwise."""
    begin = (Break.objects.aggregate(last=Max("number"))["last"] or 0) + 1
    defaults: dict[str, Any] = {
        "kind": run.kind,
        "source": run.source,
        "category": "missing_internal",
        "theirs": RAW,
        "why": "The broker reports execution 9F31 (200 @ 231.50), which we never received: the session was down.",
        "suggestion": "Book the reported execution: it has an id of theirs, and counts once when it arrives later.",
        "exposure": Decimal("46300"),
        "exposure_currency": "GBP",
        "business_date": run.as_of,
        "event_at": run.created_at - timedelta(hours=3),
        "first_run": run,
        "last_run": run,
        "found_at": run.created_at,
        "last_seen_at": run.created_at,
    } | values
    rows = [
        Break(
            **{
                "id": new_id(),
                "number": number,
                "key": f"{run.kind}:{run.source}:{number}",
                "ids": {"exec_id": f"9F{number}"},
                **defaults,
            }
        )
        for number in range(begin, begin + count)
    ]
    made = Break.objects.bulk_create(rows, batch_size=1000)
    saw(run, made, word)
    return made


def saw(run: Run, items: Sequence[Break], word: str = "standing") -> None:
    """The run saw these breaks; its counts follow."""
    RunBreak.objects.bulk_create(RunBreak(run=run, item=item, word=word) for item in items)
    field = {"new": "written", "standing": "standing", "closed": "closed"}[word]
    setattr(run, field, getattr(run, field) + len(items))
    run.save(update_fields=[field])


def end_break(item: Break, how: str = "agreed", *, at: datetime = AT, sentence: str = "The facts agree now.") -> None:
    """Closed as a run or a repair would close it."""
    item.state, item.closed_as, item.closing_sentence, item.closed_at = moves.CLOSED, how, sentence, at
    item.save(update_fields=["state", "closed_as", "closing_sentence", "closed_at"])


def accept_break(item: Break, until: date) -> None:
    """Accepted as timing until a day, by a request that a second person approved."""
    maker, checker = (
        make_principal(name, role=name, rights=(right,), desks=(), groups=())
        for name, right in (("accepts.one", WORK_BREAK), ("accepts.two", DECIDE_BREAK))
    )
    raised = raise_request(
        actor=maker, at=AT, kind="break_repair", subject_type="break", subject_id=str(item.id), subject_version=item.version,
        payload={"breaks": [str(item.id)], "repair": "timing"}, summary=f"Accept {item.ref} as timing",
    )  # fmt: skip
    record_decision(
        actor=checker, at=AT, authorisation_id=raised.id, verdict="approve", reason_code="OTHER", reason="It is on its way.",
        payload_hash=raised.payload_hash,
    )  # fmt: skip
    item.state, item.accepted_until, item.request_id = moves.ACCEPTED, until, raised.id
    item.save(update_fields=["state", "accepted_until", "request_id"])
