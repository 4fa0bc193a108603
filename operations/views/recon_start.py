"""Start a comparison by hand, with a file brought now or one that was kept; stop one that has not kept anything yet."""

from __future__ import annotations

from datetime import date, datetime
from typing import BinaryIO, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Invalid
from operations.views.edge import page
from reconciliation.domain.records import RECONCILED
from reconciliation.models import FeedFile, Run
from reconciliation.permissions import require_work
from reconciliation.selectors.feeds import get_comparable
from reconciliation.services.ask_run import ask_run
from reconciliation.services.cancel_run import cancel_run
from reconciliation.services.receive_file import receive_file
from reconciliation.services.start_run import start_run


@require_POST
@page
def start(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Ask for a run and lead to it; what is wrong with the file or the fields is answered in place."""
    require_work(actor)
    at = utc_now()
    kind = request.POST.get("kind", "")
    if kind not in RECONCILED:
        raise _wrong("kind", "Choose what is compared: orders, executions, positions or cash.")
    file = _file(request, actor, kind, at)
    day = _day(request.POST.get("as_of", ""))
    run_id = ask_run(kind=kind, file=file, as_of=day, actor=actor, at=at, trigger=Run.Trigger.BY_HAND)
    start_run(run_id=run_id)
    return redirect("recon-run", run_id=run_id)


def _file(request: HttpRequest, actor: Principal, kind: str, at: datetime) -> FeedFile:
    """The file that was brought, once it is kept and not refused; else the kept one that was chosen."""
    brought = request.FILES.get("file")
    if brought is None:
        return _kept(request.POST.get("kept", ""), kind)
    source = request.POST.get("source", "").strip()
    if not source or len(source) > 40:
        raise _wrong("source", "Say whose word the file is, in at most 40 characters.")
    stream = cast("BinaryIO", brought.file)
    received = receive_file(actor=actor, at=at, name=brought.name or "file", content=stream, kind=kind, source=source)
    if not received.taken or received.file_id is None:
        fault = next(iter(received.faults), None)
        raise Invalid(
            fault.code.value if fault else "FILE_CORRUPT", fault.sentence if fault else "The file was not kept."
        )
    return FeedFile.objects.get(pk=received.file_id)


def _kept(text: str, kind: str) -> FeedFile:
    try:
        return get_comparable(file_id=UUID(text), kind=kind)
    except (ValueError, Invalid) as error:
        raise _wrong("file", "Bring a file, or choose a kept one of this kind.") from error


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise _wrong("as_of", "Say which day is compared.") from error


def _wrong(field: str, sentence: str) -> Invalid:
    return Invalid("RUN_INVALID", sentence, {field: [sentence]})


@require_POST
@page
def cancel(request: HttpRequest, actor: Principal, run_id: UUID) -> HttpResponse:
    """Stop it; then its page, which says so."""
    cancel_run(run_id=run_id, actor=actor, at=utc_now())
    return redirect("recon-run", run_id=run_id)
