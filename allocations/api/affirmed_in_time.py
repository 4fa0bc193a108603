"""The API of the share affirmed in time: by day, market, counterparty and currency, with the sums by counterparty and by day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from allocations.domain.affirming_in_time import DAYS, LONGEST_DAYS, Share, add_up
from allocations.selectors.affirming import affirmed_in_time, by_counterparty, by_day
from allocations.selectors.confirmations import sight_of
from authorisation.domain.scopes import POST_TRADE_READ
from kernel.clock import utc_now
from kernel.errors import Invalid
from kernel.numbers import plain
from orders.api.reading import UNREADABLE, read_day
from orders.api.views import OrderApiView


class ShareAnswer(serializers.Serializer[Any]):
    """How many were affirmed by their hour of those that were due. ``percent`` to a hundredth; null of nothing."""

    trade_date = serializers.DateField(required=False)
    mic = serializers.CharField(required=False)
    counterparty = serializers.CharField(required=False)
    currency = serializers.CharField(required=False)
    in_time = serializers.IntegerField()
    due = serializers.IntegerField()
    percent = serializers.CharField(allow_null=True)
    value_in_time = serializers.CharField(required=False)
    value_due = serializers.CharField(required=False)
    value_percent = serializers.CharField(required=False, allow_null=True)


class SharesAnswer(serializers.Serializer[Any]):
    """Values are sums in one currency, so that only a row has them."""

    first = serializers.DateField()
    last = serializers.DateField()
    whole = ShareAnswer()
    counterparties = ShareAnswer(many=True)
    days = ShareAnswer(many=True)
    rows = ShareAnswer(many=True)


class AffirmedInTimeView(OrderApiView):
    """``/affirmed-in-time``: what was due by now, of the last thirty days unless asked otherwise."""

    scopes = {"GET": POST_TRADE_READ}
    parameters = {"GET": ("first", "last")}

    @extend_schema(
        operation_id="affirmed_in_time",
        parameters=[
            OpenApiParameter("first", OpenApiTypes.DATE, description="Trade date; 30 days before the last when absent"),
            OpenApiParameter("last", OpenApiTypes.DATE, description="Trade date; today when absent"),
        ],
        responses={200: SharesAnswer},
    )
    def get(self, request: Request) -> Response:
        at = utc_now()
        faults: dict[str, list[str]] = {}
        last = read_day(request.query_params, "last", faults) or at.date()
        first = read_day(request.query_params, "first", faults) or last - DAYS
        if not faults and not timedelta(0) <= last - first <= LONGEST_DAYS:
            faults["first"] = [f"From it to the last are 0 to {LONGEST_DAYS.days} days."]
        if faults:
            raise Invalid("PARAMETERS_INVALID", UNREADABLE, faults)
        rows = affirmed_in_time(first=first, last=last, at=at, sight=sight_of(self.principal()))
        return Response(
            {
                "first": first.isoformat(), "last": last.isoformat(), "whole": _counts(add_up(row.share for row in rows)),
                "counterparties": [{"counterparty": name, **_counts(share)} for name, share in by_counterparty(rows)],
                "days": [{"trade_date": day.isoformat(), **_counts(share)} for day, share in by_day(rows)],
                "rows": [
                    {
                        "trade_date": row.trade_date.isoformat(), "mic": row.mic, "counterparty": row.counterparty,
                        "currency": row.currency, **_counts(row.share), "value_in_time": plain(row.share.value_in_time),
                        "value_due": plain(row.share.value_due), "value_percent": _text(row.share.value_percent),
                    }
                    for row in rows
                ],
            }
        )  # fmt: skip


def _counts(share: Share) -> dict[str, Any]:
    return {"in_time": share.in_time, "due": share.due, "percent": _text(share.percent)}


def _text(value: Any) -> str | None:
    return None if value is None else plain(value)
