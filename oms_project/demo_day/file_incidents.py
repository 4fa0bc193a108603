"""The incidents of files: what a counterparty sends is cut, or disagrees with us. Files are written from our own books, then spoiled."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from authorisation.domain.principal import process_principal
from journal.models import Event
from kernel.clock import utc_now
from oms_project.demo_day.stage import Missing, Stage
from operations.models import ExceptionItem
from operations.services.pause_flow import is_paused, pause_flow, resume_flow
from reconciliation.domain.records import Kind
from reconciliation.domain.transitions import CLOSED, DONE
from reconciliation.models import Break, FeedFile, Run
from reconciliation.services.make_files import MadeFile, MadeFiles, make_files
from reconciliation.services.receive_file import Received, receive_file
from reconciliation.services.run_reconciliation import run_reconciliation
from reconciliation.services.take_in import take_in

ACTOR = process_principal("demo day")


def bad_file(stage: Stage) -> str:
    """A file of balances is cut on its way: it is refused with its reason, and nothing of it is taken."""
    content = b"account,currency,amount\nAC4480,GBP,1.00\nAC4481,GBP,2.00\n#TRAILER rows=3\n"
    received = _receive("cash.csv", content, Kind.CASH, "DEMO-BANK")
    if received.file_id is None:
        raise Missing("the file was not kept")
    kept = FeedFile.objects.get(id=received.file_id)
    intake = take_in(actor=ACTOR, at=utc_now(), file_id=kept.id)
    if intake.state != "refused":
        raise Missing(f"the intake of a cut file is {intake.state}")
    if Event.objects.filter(stream=f"feed:{kept.id}", kind="StatementBooked").exists():
        raise Missing("something of it was booked")
    return f"{kept.name} ({kept.sha256[:8]}) is kept and refused: {intake.sentence}"


def broker_break(stage: Stage) -> str:
    """The broker's trades differ from ours in a quantity, and one of theirs is missing here: both are found, no other is."""
    return _differs(stage, Kind.EXECUTIONS, "quantity:1,missing_internal:1", {"quantity", "missing_internal"})


def ghost_order(stage: Stage) -> str:
    """The venue works an order that we do not know, and does not know one of ours: both are found, no other is."""
    stage.order(stage.buy(stage.quantity(), away=True), "working", lambda order: order.ord_status == "0")
    stage.order(stage.buy(stage.quantity(), away=True), "working", lambda order: order.ord_status == "0")
    return _differs(
        stage, Kind.ORDERS, "missing_internal:1,missing_external:1", {"missing_internal", "missing_external"}
    )


def _differs(stage: Stage, kind: Kind, breaks: str, wanted: set[str]) -> str:
    with _quiet(stage), tempfile.TemporaryDirectory() as place:
        made = _make(stage, kind, breaks, Path(place) / "spoiled")
        runs = [_reconcile(one) for one in _csv(made)]
        found = list(Break.objects.filter(first_run__in=runs).exclude(state=CLOSED))
        # What they had a moment ago may be on its way to us: then it is a matter of time at first.
        told = {"missing_internal" if one.category == "timing" else one.category for one in found}
        if told != wanted or len(found) != len(wanted):
            raise Missing(f"{sorted(wanted)} were planted, {sorted(one.category for one in found)} found")
        for one in found:
            stage.until(
                f"an exception about {one.ref}",
                lambda key=one.key: ExceptionItem.objects.filter(dedupe_key=f"break:{key}").exists(),  # type: ignore[misc]
            )
        names = ", ".join(f"{one.ref} {one.category}" for one in found)
        again = [_reconcile(one) for one in _csv(_make(stage, kind, "", Path(place) / "true"))]
        left = Break.objects.filter(id__in=[one.id for one in found]).exclude(state=CLOSED).count()
        if left:
            raise Missing(f"{left} breaks are open although the true file {again[0].id} came")
    return f"{names}: found, explained and owned; with the true file they closed themselves."


@contextmanager
def _quiet(stage: Stage) -> Iterator[None]:
    """No new orders of the flow meanwhile: what trades between file and comparison would be no drill but a race."""
    was = is_paused()
    pause_flow()
    try:
        yield
    finally:
        if not was:
            resume_flow()


def _make(stage: Stage, kind: Kind, breaks: str, out: Path) -> MadeFiles:
    at = utc_now()
    return make_files(day=at.date(), seed=stage.random.randrange(1 << 30), breaks=breaks, out=out, kinds=[kind], at=at)


def _csv(made: MadeFiles) -> list[MadeFile]:
    return [file for file in made.files if file.format == "csv" and file.rows]


def _reconcile(file: MadeFile) -> Run:
    received = _receive(file.name, file.content, file.kind, file.source)
    if not received.taken or received.file_id is None:
        raise Missing(f"{file.name} was refused: {[fault.code.value for fault in received.faults]}")
    kept = FeedFile.objects.get(id=received.file_id)
    result = run_reconciliation(
        kind=file.kind.value,
        file=kept,
        as_of=kept.statement_date or utc_now().date(),
        actor=ACTOR,
        at=utc_now(),
        trigger=Run.Trigger.BY_HAND,
        now=utc_now,
    )
    if result.state != DONE:
        raise Missing(f"the run over {file.name} ended {result.state}: {result.sentence}")
    return Run.objects.get(id=result.run_id)


def _receive(name: str, content: bytes, kind: Kind, source: str) -> Received:
    return receive_file(actor=ACTOR, at=utc_now(), name=name, content=BytesIO(content), kind=kind.value, source=source)
