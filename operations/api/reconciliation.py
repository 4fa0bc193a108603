"""The API of comparisons: ask for one over a kept file, follow it, read the breaks it found.

Who is shown the page sees that a run was; its breaks and their counts by rows, the firm's figures as its page shows them.
Mending a break is for people; a run is signed off by the key of a second person, who confirms it as for every decision.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from authorisation.domain.principal import Principal
from authorisation.domain.scopes import RECONCILIATION_READ, RECONCILIATION_WRITE
from kernel.clock import utc_now
from kernel.errors import Invalid
from kernel.numbers import plain
from operations.api.reconciliation_documents import KINDS, LeftOpenAnswer, RunAnswer, RunBreaksAnswer, RunsAnswer
from operations.models import ExceptionItem
from operations.navigation import require_page
from operations.selectors.recon.breaks import BreakRow, list_breaks_of_run
from operations.selectors.recon.runs import RunRow, get_run, list_runs, read_place
from orders.api.reading import UNREADABLE
from orders.api.serializers import StrictSerializer
from orders.api.views import KEY, OrderApiView
from reconciliation.models import Run, RunBreak
from reconciliation.permissions import require_work
from reconciliation.selectors.feeds import get_comparable
from reconciliation.selectors.seeing import sees_totals
from reconciliation.selectors.signing import open_statement, why_not_signing
from reconciliation.services.ask_run import ask_run
from reconciliation.services.cancel_run import cancel_run
from reconciliation.services.sign_run_off import sign_run_off
from reconciliation.services.start_run import start_run

Body = dict[str, Any]
AFTER = {"type": "integer", "minimum": 0, "maximum": 10**12 - 1}


class RunBodySerializer(StrictSerializer):
    """``file_id`` names a kept file of the kind (``./oms reconcile`` and uploads keep theirs), ``as_of`` the day compared."""

    kind = serializers.ChoiceField(choices=KINDS)
    file_id = serializers.UUIDField()
    as_of = serializers.DateField()


class NothingSerializer(StrictSerializer):
    """An empty object: the address says it all."""


class SignOffSerializer(StrictSerializer):
    """``digest`` is of what was read; ``statement`` is what is said about it."""

    statement = serializers.CharField(max_length=2000)
    digest = serializers.CharField(max_length=64)


class RunApiView(OrderApiView):
    """What the views below share: they answer for whom the page of runs answers."""

    def principal(self) -> Principal:
        """Who asks. Raises NotPermitted PAGE_NOT_YOURS."""
        actor = super().principal()
        require_page(actor, "/recon")
        return actor


class RunsView(RunApiView):
    """``/reconciliation-runs``: ask for a comparison, list them newest first; 50 at a time."""

    scopes = {"GET": RECONCILIATION_READ, "POST": RECONCILIATION_WRITE}
    parameters = {"GET": ("kind", "source", "before")}

    @extend_schema(
        operation_id="reconciliation_runs_create",
        request=RunBodySerializer,
        parameters=[KEY],
        responses={202: RunAnswer},
    )
    def post(self, request: Request) -> Response:
        body = self.body(RunBodySerializer)
        kept = {"kind": body["kind"], "file_id": str(body["file_id"]), "as_of": body["as_of"].isoformat()}
        answer = self.once(kept, lambda: (status.HTTP_202_ACCEPTED, self._ask(body)))
        if "Idempotency-Replayed" not in answer.headers:
            start_run(
                run_id=UUID(answer.data["id"])
            )  # once the row is committed; a lost word is made good by the next beat
        return answer

    def _ask(self, body: Body) -> Body:
        actor, at = self.principal(), utc_now()
        require_work(actor)
        file = get_comparable(file_id=body["file_id"], kind=body["kind"])
        asked = ask_run(
            kind=body["kind"], file=file, as_of=body["as_of"], actor=actor, at=at, trigger=Run.Trigger.BY_HAND
        )
        return run_answer(get_run(actor=actor, at=at, run_id=asked))

    @extend_schema(
        operation_id="reconciliation_runs_list",
        parameters=[
            OpenApiParameter("kind", str, enum=KINDS, description="Only of this kind"),
            OpenApiParameter("source", str, description="Only about this source"),
            OpenApiParameter("before", str, description="The next of the page before"),
        ],
        responses={200: RunsAnswer},
    )
    def get(self, request: Request) -> Response:
        query = request.query_params
        kind, source, before = query.get("kind", ""), query.get("source", ""), query.get("before", "")
        wrong = {"kind": [f"One of {', '.join(KINDS)}."]} if "kind" in query and kind not in KINDS else {}
        wrong |= {"source": ["Holds a NUL character."]} if "\x00" in source else {}
        wrong |= {"before": ["Not a next of ours."]} if before and read_place(before) is None else {}
        if wrong:
            raise Invalid("PARAMETERS_INVALID", UNREADABLE, wrong)
        page = list_runs(actor=self.principal(), at=utc_now(), kind=kind, source=source, before=before)
        return Response({"runs": [run_answer(row) for row in page.rows], "next": page.next_before or None})


class RunView(RunApiView):
    """``/reconciliation-runs/{id}``: one comparison; how far it is while it moves."""

    scopes = {"GET": RECONCILIATION_READ}

    @extend_schema(operation_id="reconciliation_runs_get", responses={200: RunAnswer})
    def get(self, request: Request, run_id: UUID) -> Response:
        return Response(run_answer(get_run(actor=self.principal(), at=utc_now(), run_id=run_id)))


class RunCancelView(RunApiView):
    """``/reconciliation-runs/{id}/cancel``: stop one that has kept nothing yet."""

    scopes = {"POST": RECONCILIATION_WRITE}

    @extend_schema(
        operation_id="reconciliation_runs_cancel",
        request=NothingSerializer,
        parameters=[KEY],
        responses={200: RunAnswer},
    )
    def post(self, request: Request, run_id: UUID) -> Response:
        self.body(NothingSerializer)
        return self.once({"run_id": str(run_id)}, lambda: (status.HTTP_200_OK, self._cancel(run_id)))

    def _cancel(self, run_id: UUID) -> Body:
        actor, at = self.principal(), utc_now()
        cancel_run(run_id=run_id, actor=actor, at=at)
        return run_answer(get_run(actor=actor, at=at, run_id=run_id))


class RunSignOffView(RunApiView):
    """``/reconciliation-runs/{id}/sign-off``: what a run left open, and a second person's word that it was read.

    What was read is named by its ``digest``. Whoever sees a part of the breaks is told why not to sign.
    """

    scopes = {"GET": RECONCILIATION_READ, "POST": RECONCILIATION_WRITE}

    @extend_schema(operation_id="reconciliation_runs_open", responses={200: LeftOpenAnswer})
    def get(self, request: Request, run_id: UUID) -> Response:
        actor = self.principal()
        run = get_run(actor=actor, at=utc_now(), run_id=run_id).run
        left = open_statement(run)
        why_not = why_not_signing(run, actor, statement=left)
        seen = sees_totals(actor)
        exposure = {currency: plain(amount) for currency, amount in left.exposure.items()}
        return Response(
            {
                "open": left.count if seen else None,
                "accepted": left.accepted if seen else None,
                "by_category": left.by_category if seen else {},
                "exposure": exposure if seen else {},
                "digest": left.digest,
                "why_not": why_not or None,
            }
        )

    @extend_schema(
        operation_id="reconciliation_runs_sign_off",
        request=SignOffSerializer,
        parameters=[KEY],
        responses={200: RunAnswer},
    )
    def post(self, request: Request, run_id: UUID) -> Response:
        body = self.body(SignOffSerializer)
        return self.once(body, lambda: (status.HTTP_200_OK, self._sign(run_id, body)))

    def _sign(self, run_id: UUID, body: Body) -> Body:
        actor, at = self.principal(), utc_now()
        sign_run_off(actor=actor, at=at, run_id=run_id, statement=body["statement"], digest=body["digest"])
        return run_answer(get_run(actor=actor, at=at, run_id=run_id))


class RunBreaksView(RunApiView):
    """``/reconciliation-runs/{id}/breaks``: the breaks it saw that you may see; 100 at a time."""

    scopes = {"GET": RECONCILIATION_READ}
    parameters = {"GET": ("word", "after")}

    @extend_schema(
        operation_id="reconciliation_runs_breaks",
        parameters=[
            OpenApiParameter("word", str, enum=RunBreak.Word.values, description="As the run saw them"),
            OpenApiParameter("after", AFTER, description="The next of the page before"),
        ],
        responses={200: RunBreaksAnswer},
    )
    def get(self, request: Request, run_id: UUID) -> Response:
        word, after = request.query_params.get("word"), request.query_params.get("after", "0")
        wrong = {} if word is None or word in RunBreak.Word.values else {"word": ["new, standing or closed."]}
        if not (after.isascii() and after.isdecimal() and len(after) <= 12):
            wrong["after"] = ["Not a next of ours."]
        if wrong:
            raise Invalid("PARAMETERS_INVALID", UNREADABLE, wrong)
        actor, at = self.principal(), utc_now()
        run = get_run(actor=actor, at=at, run_id=run_id).run
        page = list_breaks_of_run(actor=actor, run=run, at=at, word=word or "", after=int(after))
        return Response({"breaks": [break_answer(row) for row in page.rows], "next": page.next_after or None})


def run_answer(row: RunRow) -> Body:
    """A run as programs read it."""
    run = row.run
    firms = ("done", "total", "internal", "external", "matched")
    file = run.file
    return {
        "id": str(run.pk),
        "kind": run.kind,
        "source": run.source,
        "file": {"id": str(file.pk), "name": file.name, "sha256": file.sha256} if file else None,
        "as_of": run.as_of.isoformat(),
        "trigger": run.trigger,
        "state": run.state,
        "step": run.step,
        "sentence": run.sentence,
        **{word: row.counts[word] for word in RunBreak.Word.values},
        **{name: getattr(run, name) if row.totals else None for name in firms},
        "rules_version": run.rules_version,
        "started_by": row.by,
        "created_at": run.created_at.isoformat(),
        "started_at": _moment(run.started_at),
        "finished_at": _moment(run.finished_at),
        "signed_by": row.signed_by or None,
        "signed_at": _moment(run.signed_at),
    }


def break_answer(row: BreakRow) -> Body:
    """A break as programs read it."""
    item = row.item
    return {
        "ref": item.ref,
        "kind": item.kind,
        "source": item.source,
        "category": item.category,
        "word": row.word,
        "state": item.state,
        "closed_as": item.closed_as or None,
        "why": item.why,
        "suggestion": item.suggestion,
        "ids": item.ids,
        "ours": item.ours,
        "theirs": item.theirs,
        "differences": item.differences,
        "exposure": plain(item.exposure) if item.exposure is not None else None,
        "currency": item.exposure_currency or None,
        "effect": item.effect or None,
        "recurrence": item.recurrence,
        "order_id": str(item.order_id) if item.order_id else None,
        "event_at": _moment(item.event_at),
        "found_at": item.found_at.isoformat(),
        "last_seen_at": item.last_seen_at.isoformat(),
        "closed_at": _moment(item.closed_at),
        "exception": _matter(row.matter),
    }


def _matter(matter: ExceptionItem | None) -> Body | None:
    if matter is None:
        return None
    owner = matter.owner.username if matter.owner else None
    return {"id": str(matter.pk), "owner": owner, "group": matter.owner_group, "due_at": _moment(matter.due_at)}


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
