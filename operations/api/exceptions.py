"""The API of exceptions: what must be looked at, one item with its history, and every act a person may do about it.

An act names the version of the item as it was read: one that moved since answers 409. Acts are done once under their key.
Ending an item by force is for people on the page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authorisation.domain.scopes import EXCEPTIONS_READ, EXCEPTIONS_WRITE
from kernel.clock import utc_now
from kernel.errors import Invalid
from kernel.numbers import plain
from operations.domain.exception_kinds import CAUSES
from operations.models import ExceptionItem
from operations.selectors.exceptions import VIEWS, Filters, get_exception, list_exceptions, list_history
from operations.services._exception_acts import Acted
from operations.services.assign_exception import assign_exception
from operations.services.await_outside import await_outside
from operations.services.close_exception import close_exception
from operations.services.comment_exception import comment_exception
from operations.services.escalate_exception import escalate_exception
from operations.services.hand_back_exception import hand_back_exception
from operations.services.label_exception import label_exception
from operations.services.link_exception import KINDS as LINKS
from operations.services.link_exception import link_exception
from operations.services.snooze_exception import snooze_exception
from operations.services.take_exception import take_exception
from orders.api.serializers import StrictSerializer
from orders.api.views import KEY, OrderApiView

Body = dict[str, Any]
ACTS: dict[str, Callable[[Body, Body], Acted]] = {
    "take": lambda who, body: take_exception(**who),
    "assign": lambda who, body: assign_exception(**who, owner=body["owner"], group=body["group"], reason=body["text"]),
    "hand_back": lambda who, body: hand_back_exception(**who, reason=body["text"]),
    "escalate": lambda who, body: escalate_exception(**who, reason=body["text"]),
    "snooze": lambda who, body: snooze_exception(**who, until=body["until"], reason=body["text"]),
    "wait": lambda who, body: await_outside(**who, whom=body["text"]),
    "comment": lambda who, body: comment_exception(
        actor=who["actor"], at=who["at"], item_id=who["item_id"], text=body["text"]
    ),
    "label": lambda who, body: label_exception(**who, add=body["add"], drop=body["drop"]),
    "link": lambda who, body: link_exception(**who, kind=body["link"], key=body["key"]),
    "close": lambda who, body: close_exception(**who, cause=body["cause"], text=body["text"]),
}


class ActBodySerializer(StrictSerializer):
    """``version`` is that of the item as it was read. ``text`` is the reason, comment, or whose answer is awaited."""

    act = serializers.ChoiceField(choices=list(ACTS))
    version = serializers.IntegerField(min_value=0)
    text = serializers.CharField(max_length=2000, required=False, default="", allow_blank=True)
    owner = serializers.CharField(max_length=150, required=False, default="", allow_blank=True)
    group = serializers.CharField(max_length=40, required=False, default="", allow_blank=True)
    until = serializers.DateTimeField(required=False, default=None, allow_null=True)
    add = serializers.ListField(child=serializers.CharField(max_length=24), max_length=8, required=False, default=list)
    drop = serializers.ListField(child=serializers.CharField(max_length=24), max_length=8, required=False, default=list)
    link = serializers.ChoiceField(choices=list(LINKS), required=False, default="order")
    key = serializers.CharField(max_length=120, required=False, default="", allow_blank=True)
    cause = serializers.ChoiceField(choices=list(CAUSES), required=False, default="OTHER")


class ExceptionsView(OrderApiView):
    """``/exceptions``: a view of the queue, worst first; 200 at a time, ``next`` is the ``after`` of the next page."""

    scopes = {"GET": EXCEPTIONS_READ}
    parameters = {"GET": ("view", "kind", "label", "after")}

    @extend_schema(
        operation_id="exceptions_list",
        parameters=[
            OpenApiParameter("view", str, enum=list(VIEWS), description="all when absent"),
            OpenApiParameter("kind", str, description="Only of this kind"),
            OpenApiParameter("label", str, description="Only with this label"),
            OpenApiParameter("after", str, description="The next of the page before"),
        ],
        responses={200: dict},
    )
    def get(self, request: Request) -> Response:
        query = request.query_params
        view = query.get("view", "all")
        if view not in VIEWS:
            sentence = f"One of {', '.join(VIEWS)}."
            raise Invalid("PARAMETERS_INVALID", "Some query parameters are unknown or malformed.", {"view": [sentence]})
        filters = Filters(query.get("kind", "")[:60], query.get("label", "")[:24])
        listed = list_exceptions(actor=self.principal(), view=view, filters=filters, after=query.get("after", "")[:120])
        return Response({"exceptions": [item_answer(item) for item in listed.items], "next": listed.more or None})


class ExceptionView(OrderApiView):
    """``/exceptions/{id}``: one item with its evidence and history."""

    scopes = {"GET": EXCEPTIONS_READ}

    @extend_schema(operation_id="exceptions_get", responses={200: dict})
    def get(self, request: Request, item_id: UUID) -> Response:
        item = get_exception(actor=self.principal(), item_id=item_id)
        history = [
            {"at": line.at.isoformat(), "who": line.who, "sentence": line.told.sentence, "text": line.told.text}
            for line in list_history(item)
        ]
        return Response({**item_answer(item), "evidence": item.evidence, "links": item.links, "history": history})


class ExceptionActView(OrderApiView):
    """``/exceptions/{id}/act``: take, assign, hand back, escalate, snooze, wait, comment, label, link, close."""

    scopes = {"POST": EXCEPTIONS_WRITE}

    @extend_schema(operation_id="exceptions_act", request=ActBodySerializer, parameters=[KEY], responses={200: dict})
    def post(self, request: Request, item_id: UUID) -> Response:
        principal = self.principal()
        get_exception(actor=principal, item_id=item_id)
        body = self.body(ActBodySerializer)
        kept = {**body, "until": body["until"].isoformat() if body["until"] else None}
        who = {"actor": principal, "at": utc_now(), "item_id": item_id, "version": body["version"]}
        return self.once(kept, lambda: (200, self._act(who, body)))

    def _act(self, who: Body, body: Body) -> Body:
        done = ACTS[body["act"]](who, body)
        return {"id": str(done.item_id), "version": done.version, "sentence": done.sentence}


def item_answer(item: ExceptionItem) -> Body:
    """An item as programs read it; figures are text."""
    return {
        "id": str(item.pk),
        "version": item.version,
        "kind": item.kind,
        "title": item.about.title,
        "state": item.state,
        "severity": item.shown,
        "raised_as": item.severity,
        "sentence": item.sentence,
        "subject": item.subject,
        "order_id": str(item.order_id) if item.order_id else None,
        "desk": item.desk.code if item.desk else None,
        "owner": item.owner.username if item.owner else None,
        "group": item.owner_group,
        "exposure": plain(item.exposure) if item.exposure is not None else None,
        "currency": item.currency or None,
        "due_at": item.due_at.isoformat() if item.due_at else None,
        "level": item.level,
        "labels": item.labels,
        "occurrences": item.occurrences,
        "came_back": item.came_back,
        "raised_at": item.raised_at.isoformat(),
        "closed_at": item.closed_at.isoformat() if item.closed_at else None,
        "cause": item.cause or None,
        "runbook": item.about.runbook,
    }
