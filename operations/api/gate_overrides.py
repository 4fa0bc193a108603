"""The API of gates of the start of day: what stands open in spite of a missing file, ask for it, shut it again.

Approving is for people, through the approvals. For whom ``/sync`` answers.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from authorisation.domain.scopes import RECONCILIATION_READ, RECONCILIATION_WRITE
from kernel.clock import utc_now
from operations.api.feed_files import FileApiView
from orders.api.serializers import StrictSerializer
from orders.api.views import KEY
from reconciliation.permissions import require_work
from reconciliation.selectors.gates import get_opening, list_openings, opening_to_json
from reconciliation.services.ask_gate_override import ask_gate_override
from reconciliation.services.withdraw_gate_override import withdraw_gate_override


class OverrideAnswer(serializers.Serializer[Any]):
    """A word of two that opens a gate: ``account`` by its code, empty for all; ``ended_at`` null while it may still let pass."""

    id = serializers.UUIDField()
    feed = serializers.CharField()
    account = serializers.CharField(allow_blank=True)
    until = serializers.DateTimeField()
    reason = serializers.CharField()
    evidence = serializers.CharField()
    asked_by = serializers.CharField()
    granted_by = serializers.CharField()
    granted_at = serializers.DateTimeField()
    ended_by = serializers.CharField(allow_blank=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    ended_reason = serializers.CharField(allow_blank=True)
    authorisation_id = serializers.UUIDField()


class OverridesAnswer(serializers.Serializer[Any]):
    """Newest first, at most a hundred."""

    overrides = OverrideAnswer(many=True)


class OverrideAskedAnswer(serializers.Serializer[Any]):
    """The request that waits for a second person."""

    authorisation_id = serializers.UUIDField()


class OverrideBodySerializer(StrictSerializer):
    """``account`` empty: every account that the gate concerns; ``until`` null: to the end of the feed's day."""

    feed = serializers.CharField(max_length=24)
    account = serializers.CharField(max_length=40, allow_blank=True, default="")
    reason = serializers.CharField(max_length=500)
    evidence = serializers.CharField(max_length=500)
    until = serializers.DateTimeField(allow_null=True, default=None)


class WithdrawSerializer(StrictSerializer):
    """Why the gate is shut again."""

    reason = serializers.CharField(max_length=500)


class GateOverridesView(FileApiView):
    """``/gate-overrides``: what was opened; ask a second person to open one."""

    scopes = {"GET": RECONCILIATION_READ, "POST": RECONCILIATION_WRITE}

    @extend_schema(operation_id="gate_overrides_list", responses={200: OverridesAnswer})
    def get(self, request: Request) -> Response:
        self.principal()
        return Response({"overrides": [opening_to_json(one) for one in list_openings()]})

    @extend_schema(
        operation_id="gate_overrides_create",
        request=OverrideBodySerializer,
        parameters=[KEY],
        responses={202: OverrideAskedAnswer},
    )
    def post(self, request: Request) -> Response:
        asked = self.body(OverrideBodySerializer)
        actor = self.principal()
        require_work(actor)
        content = {**asked, "until": asked["until"].isoformat() if asked["until"] else None}

        def work() -> tuple[int, Any]:
            return status.HTTP_202_ACCEPTED, {
                "authorisation_id": str(ask_gate_override(actor=actor, at=utc_now(), **asked))
            }

        return self.once(content, work)


class GateOverrideWithdrawView(FileApiView):
    """``/gate-overrides/{id}/withdraw``: shut it again, alone and at once."""

    scopes = {"POST": RECONCILIATION_WRITE}

    @extend_schema(
        operation_id="gate_overrides_withdraw",
        request=WithdrawSerializer,
        parameters=[KEY],
        responses={200: OverrideAnswer},
    )
    def post(self, request: Request, waiver_id: UUID) -> Response:
        said = self.body(WithdrawSerializer)
        actor = self.principal()

        def work() -> tuple[int, Any]:
            withdraw_gate_override(actor=actor, at=utc_now(), waiver_id=waiver_id, reason=said["reason"])
            return status.HTTP_200_OK, opening_to_json(get_opening(waiver_id))

        return self.once({**said, "waiver_id": str(waiver_id)}, work)
