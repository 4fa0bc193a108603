"""The API of confirmations: those the key's owner may see, one with what both sides say, and a person's or program's word on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from allocations.selectors.confirmations import (
    VIEWS,
    ConfirmationFilter,
    get_confirmation_by_id,
    get_detail,
    list_confirmations,
)
from allocations.selectors.confirming import Standing
from allocations.services._acting import LONGEST_REASON
from allocations.services.affirm_confirmation import affirm_confirmation
from allocations.services.reject_confirmation import reject_confirmation
from authorisation.domain.scopes import POST_TRADE_READ, POST_TRADE_WRITE
from kernel.clock import utc_now
from kernel.errors import Invalid
from kernel.numbers import plain
from kernel.texts import utc_text
from orders.api.reading import UNREADABLE, read_day, read_word
from orders.api.serializers import StrictSerializer
from orders.api.views import KEY, OrderApiView

FILTERS = ("view", "counterparty", "mic", "account", "block", "day")


class ConfirmationAnswer(serializers.Serializer[Any]):
    """A confirmation; figures as text. ``fields`` and ``records`` of one alone: both sides by field, and what they said."""

    id = serializers.UUIDField()
    ref = serializers.CharField()
    state = serializers.CharField()
    counterparty = serializers.CharField()
    role = serializers.ChoiceField(choices=("buy_side", "broker"))
    block = serializers.CharField()
    allocation = serializers.CharField()
    account = serializers.CharField()
    symbol = serializers.CharField()
    mic = serializers.CharField()
    side = serializers.CharField()
    currency = serializers.CharField()
    qty = serializers.CharField()
    avg_px = serializers.CharField()
    net = serializers.CharField()
    trade_date = serializers.DateField()
    settlement_date = serializers.DateField()
    affirm_by = serializers.DateTimeField(allow_null=True)
    affirmed_at = serializers.DateTimeField(allow_null=True)
    late_party = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    differences = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    fields_of_both = serializers.ListField(child=serializers.DictField(), required=False)
    records = serializers.ListField(child=serializers.DictField(), required=False)


class ConfirmationsAnswer(serializers.Serializer[Any]):
    """The most urgent first, at most two hundred."""

    confirmations = ConfirmationAnswer(many=True)


class ActedAnswer(serializers.Serializer[Any]):
    """What was done, and the confirmation as it is then."""

    sentence = serializers.CharField()
    confirmation = ConfirmationAnswer()


class ReasonBodySerializer(StrictSerializer):
    """Why; to affirm it is needed only where no record of theirs matched."""

    reason = serializers.CharField(max_length=LONGEST_REASON, required=False, default="", allow_blank=True)


class ConfirmationsView(OrderApiView):
    """``/confirmations``: a view of them."""

    scopes = {"GET": POST_TRADE_READ}
    parameters = {"GET": FILTERS}

    @extend_schema(
        operation_id="confirmations_list",
        parameters=[
            OpenApiParameter("view", str, enum=VIEWS, description="A state, or open, late, all; open when absent"),
            OpenApiParameter("counterparty", str), OpenApiParameter("mic", str), OpenApiParameter("account", str),
            OpenApiParameter("block", str, description="As people call it: B-12"),
            OpenApiParameter("day", OpenApiTypes.DATE, description="Trade date"),
        ],
        responses={200: ConfirmationsAnswer},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        rows = list_confirmations(self.principal(), read_filter(request.query_params), at=utc_now())
        return Response({"confirmations": [body_of(one) for one in rows]})


class ConfirmationView(OrderApiView):
    """``/confirmations/{id}``: one with both sides by field."""

    scopes = {"GET": POST_TRADE_READ}

    @extend_schema(operation_id="confirmations_get", responses={200: ConfirmationAnswer})
    def get(self, request: Request, confirmation_id: UUID) -> Response:
        return Response(whole_body(get_confirmation_by_id(self.principal(), confirmation_id)))


class AffirmConfirmationView(OrderApiView):
    """``/confirmations/{id}/affirm``."""

    scopes = {"POST": POST_TRADE_WRITE}

    @extend_schema(
        operation_id="confirmations_affirm",
        request=ReasonBodySerializer,
        parameters=[KEY],
        responses={200: ActedAnswer},
    )
    def post(self, request: Request, confirmation_id: UUID) -> Response:
        body, actor = self.body(ReasonBodySerializer), self.principal()

        def work() -> tuple[int, Any]:
            done = affirm_confirmation(
                actor=actor, at=utc_now(), idempotency_key=self.key(), route="api.confirmation.affirm",
                confirmation_ids=[confirmation_id], reason=body["reason"],
            )  # fmt: skip
            return 200, _acted(done.sentence, get_confirmation_by_id(actor, confirmation_id))

        return self.once(body, work)


class RejectConfirmationView(OrderApiView):
    """``/confirmations/{id}/reject``."""

    scopes = {"POST": POST_TRADE_WRITE}

    @extend_schema(
        operation_id="confirmations_reject",
        request=ReasonBodySerializer,
        parameters=[KEY],
        responses={200: ActedAnswer},
    )
    def post(self, request: Request, confirmation_id: UUID) -> Response:
        body, actor = self.body(ReasonBodySerializer), self.principal()

        def work() -> tuple[int, Any]:
            done = reject_confirmation(
                actor=actor, at=utc_now(), idempotency_key=self.key(), route="api.confirmation.reject",
                confirmation_id=confirmation_id, reason=body["reason"],
            )  # fmt: skip
            return 200, _acted(done.sentence, get_confirmation_by_id(actor, confirmation_id))

        return self.once(body, work)


def _acted(sentence: str, standing: Standing) -> dict[str, Any]:
    return {"sentence": sentence, "confirmation": body_of(standing)}


def read_filter(query: Mapping[str, str]) -> ConfirmationFilter:
    """The filter of a list. Raises Invalid PARAMETERS_INVALID with a sentence a parameter."""
    faults: dict[str, list[str]] = {}
    day = read_day(query, "day", faults)
    view = read_word(query, "view", VIEWS, faults, absent=VIEWS[0])
    texts = {name: query.get(name, "").strip() for name in ("counterparty", "mic", "account", "block")}
    faults |= {name: ["Not a name."] for name, value in texts.items() if len(value) > 24 or "\x00" in value}
    if faults:
        raise Invalid("PARAMETERS_INVALID", UNREADABLE, faults)
    return ConfirmationFilter(view=view, day=day, **texts)


def body_of(standing: Standing) -> dict[str, Any]:
    """A confirmation as the list has it."""
    row, line = standing.row, standing.line
    return {
        "id": str(row.id), "ref": row.ref, "state": row.state, "counterparty": row.counterparty, "role": row.role,
        "block": line.block_ref, "allocation": line.ref, "account": line.account, "symbol": line.symbol, "mic": line.mic,
        "side": line.side, "currency": line.currency, "qty": plain(line.qty), "avg_px": plain(line.avg_px),
        "net": plain(line.net), "trade_date": line.trade_date.isoformat(),
        "settlement_date": line.settlement_date.isoformat(), "affirm_by": utc_text(row.affirm_by) if row.affirm_by else None,
        "affirmed_at": utc_text(row.affirmed_at) if row.affirmed_at else None, "late_party": row.late_party or None,
        "reason": row.reason or None, "differences": row.differences,
    }  # fmt: skip


def whole_body(standing: Standing) -> dict[str, Any]:
    """One with both sides by field and the names of their records."""
    detail = get_detail(standing)
    return body_of(standing) | {
        "fields_of_both": [
            {
                "field": one.name, "ours": one.ours or None, "theirs": one.theirs or None, "difference": one.difference or None,
                "allowed": one.allowed or None, "differs": one.differs,
            }
            for one in detail.fields
        ],
        "records": [
            {"ref": one.their_ref, "kind": one.kind, "does": one.trans_type, "state": one.state, "source": one.source}
            for one in detail.records
        ],
    }  # fmt: skip
