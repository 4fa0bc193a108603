"""The API of stops: press the kill switch, read what is proven, ask a second person to let go. Deciding is for people."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from authorisation.domain.scopes import STOPS_READ, STOPS_WRITE
from kernel.clock import utc_now
from operations.api.documents import PressAnswer, ReleaseAnswer, StopProofDocument, StopsAnswer
from operations.selectors.scopes import find_scope
from operations.selectors.stop_proof import get_stop_proof, list_stop_proofs, proof_as_json
from operations.selectors.stops import list_standing
from orders.api.serializers import StrictSerializer
from orders.api.views import KEY, OrderApiView
from risk.models import Scope
from risk.services.engage_kill_switch import MAX_SCOPES, engage_kill_switch
from risk.services.request_stop_release import request_stop_release


class ScopeSerializer(StrictSerializer):
    """What to stop: ``id`` is what people call it (desk code, username, symbol, MIC …) or the id; the firm has none."""

    scope = serializers.ChoiceField(choices=Scope.values)
    id = serializers.CharField(max_length=80, required=False, default="")


class StopBodySerializer(StrictSerializer):
    """One press: all of the scopes are stopped, or, when one of them is wrong, none."""

    scopes = serializers.ListField(child=ScopeSerializer(), min_length=1, max_length=MAX_SCOPES)
    reason = serializers.CharField(max_length=500)


class ReleaseBodySerializer(StrictSerializer):
    """Why the stop may end."""

    reason = serializers.CharField(max_length=500)


class StopsView(OrderApiView):
    """``/stops``: press, and list what stands. Pressing again adds nothing, under whatever key."""

    scopes = {"GET": STOPS_READ, "POST": STOPS_WRITE}
    removes_risk = True

    @extend_schema(
        operation_id="stops_press",
        request=StopBodySerializer,
        parameters=[KEY],
        responses={201: PressAnswer, 404: OpenApiResponse(description="There is no such scope.")},
    )
    def post(self, request: Request) -> Response:
        body = self.body(StopBodySerializer)
        return self.once(body, lambda: (status.HTTP_201_CREATED, self._press(body)))

    def _press(self, body: dict[str, Any]) -> dict[str, Any]:
        principal = self.principal()
        pairs = [find_scope(principal, one["scope"], one["id"]) for one in body["scopes"]]
        pressed = engage_kill_switch(actor=principal, at=utc_now(), scopes=pairs, reason=body["reason"])
        stops = [
            {
                "stop_id": str(one.stop_id),
                "scope": one.scope,
                "name": one.name,
                "engaged_at": one.engaged_at.isoformat(),
                "new": one.changed,
            }
            for one in pressed.stops
        ]
        return {"stops": stops, "drained": pressed.drained}

    @extend_schema(operation_id="stops_list", responses={200: StopsAnswer})
    def get(self, request: Request) -> Response:
        proofs = list_stop_proofs([one for one in list_standing() if one.is_stop])
        return Response({"stops": [proof_as_json(one) for one in proofs]})


class StopView(OrderApiView):
    """``/stops/{id}``: its proof; orders that are not proven over by name, as far as you may see them."""

    scopes = {"GET": STOPS_READ}

    @extend_schema(operation_id="stops_get", responses={200: StopProofDocument})
    def get(self, request: Request, stop_id: UUID) -> Response:
        return Response(proof_as_json(get_stop_proof(actor=self.principal(), stop_id=stop_id)))


class StopReleaseView(OrderApiView):
    """``/stops/{id}/release``: ask a second person to let it go."""

    scopes = {"POST": STOPS_WRITE}

    @extend_schema(
        operation_id="stops_release", request=ReleaseBodySerializer, parameters=[KEY], responses={202: ReleaseAnswer}
    )
    def post(self, request: Request, stop_id: UUID) -> Response:
        body = self.body(ReleaseBodySerializer)
        return self.once(body, lambda: (status.HTTP_202_ACCEPTED, self._ask(stop_id, body["reason"])))

    def _ask(self, stop_id: UUID, reason: str) -> dict[str, Any]:
        asked = request_stop_release(actor=self.principal(), at=utc_now(), stop_id=stop_id, reason=reason)
        return {"authorisation_id": str(asked.authorisation_id), "sentence": asked.sentence}
