"""What the order API answers, as its OpenAPI document describes it. Nothing is serialised by these: ``answers.py`` writes."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from orders.domain.results import COMPLETED_LOCALLY, PENDING_AUTHORISATION, REFUSED, RELEASED
from orders.domain.words import ORD_TYPES, SIDES, TIMES_IN_FORCE

_FIGURE: dict[str, Any] = {"help_text": "A decimal as text."}
OUTCOMES = [RELEASED, PENDING_AUTHORISATION, REFUSED, COMPLETED_LOCALLY]


class CheckDocument(serializers.Serializer[Any]):
    """One check: what it said, of which facts."""

    code = serializers.CharField()
    verdict = serializers.ChoiceField(choices=["pass", "acknowledge", "authorise", "refuse"])
    facts = serializers.DictField(required=False)
    sentence = serializers.CharField(required=False)
    reason = serializers.CharField(required=False)


class RequestAnswer(serializers.Serializer[Any]):
    """What became of one request. ``code`` and ``sentence`` stand in a refusal."""

    order_id = serializers.UUIDField()
    ref = serializers.CharField()
    request_id = serializers.UUIDField()
    cl_ord_id = serializers.CharField()
    outcome = serializers.ChoiceField(choices=OUTCOMES)
    state = serializers.CharField()
    authorisation_id = serializers.UUIDField(allow_null=True)
    checks = CheckDocument(many=True)
    code = serializers.CharField(required=False)
    sentence = serializers.CharField(required=False)


class MoneyDocument(serializers.Serializer[Any]):
    """An amount in its currency."""

    currency = serializers.CharField()
    amount = serializers.CharField(**_FIGURE)


class PreviewAnswer(serializers.Serializer[Any]):
    """What would become of the order if it were sent now. Nothing was kept."""

    dry_run = serializers.BooleanField()
    outcome = serializers.ChoiceField(choices=OUTCOMES[:3])
    sentence = serializers.CharField()
    checks = CheckDocument(many=True)
    value = MoneyDocument(allow_null=True)
    fees = MoneyDocument(allow_null=True)
    cash_before = MoneyDocument(allow_null=True)
    cash_after = MoneyDocument(allow_null=True)
    position_before = serializers.CharField(**_FIGURE)
    position_after = serializers.CharField(**_FIGURE)


class BatchRow(serializers.Serializer[Any]):
    """The answer to one row: a request's, or why the row was malformed."""

    client_order_id = serializers.CharField(allow_blank=True)
    outcome = serializers.ChoiceField(choices=[*OUTCOMES[:3], "invalid"])
    order_id = serializers.UUIDField(required=False)
    ref = serializers.CharField(required=False)
    request_id = serializers.UUIDField(required=False)
    cl_ord_id = serializers.CharField(required=False)
    state = serializers.CharField(required=False)
    authorisation_id = serializers.UUIDField(required=False, allow_null=True)
    checks = CheckDocument(many=True, required=False)
    code = serializers.CharField(required=False)
    sentence = serializers.CharField(required=False)
    fields = serializers.DictField(required=False)  # type: ignore[assignment]


class BatchAnswer(serializers.Serializer[Any]):
    """One answer a row, in the order they were sent."""

    orders = BatchRow(many=True)


class TicketDocument(serializers.Serializer[Any]):
    """Who gave the order when, who entered it when, who answers for it, in which capacity, and what was left to the dealer."""

    instructed_at = serializers.DateTimeField()
    instructed_by = serializers.CharField(allow_null=True)
    entered_at = serializers.DateTimeField()
    entered_by = serializers.CharField()
    responsible = serializers.CharField(allow_null=True)
    source = serializers.CharField()  # type: ignore[assignment]
    capacity = serializers.CharField()
    discretion = serializers.CharField(allow_null=True)


class VersionDocument(serializers.Serializer[Any]):
    """One version: what was asked, by whom, and what became of it."""

    request_id = serializers.UUIDField()
    seq = serializers.IntegerField()
    kind = serializers.CharField()
    state = serializers.CharField()
    cl_ord_id = serializers.CharField()
    asked_by = serializers.CharField()
    on_behalf_of = serializers.CharField(allow_null=True)
    asked_at = serializers.DateTimeField()
    terms = serializers.DictField()
    outcome_code = serializers.CharField(allow_null=True)


class OrderDocument(serializers.Serializer[Any]):
    """An order. ``ord_status`` is the venue's word, null until it has said something; ``request_state`` is ours."""

    order_id = serializers.UUIDField()
    ref = serializers.CharField()
    client_order_id = serializers.CharField(allow_blank=True)
    account = serializers.CharField()
    symbol = serializers.CharField()
    side = serializers.ChoiceField(choices=sorted(SIDES))
    ord_type = serializers.ChoiceField(choices=sorted(ORD_TYPES))
    time_in_force = serializers.ChoiceField(choices=sorted(TIMES_IN_FORCE))
    currency = serializers.CharField()
    price_unit = serializers.CharField()
    order_qty = serializers.CharField(allow_null=True, **_FIGURE)
    price = serializers.CharField(allow_null=True, **_FIGURE)
    stop_px = serializers.CharField(allow_null=True, **_FIGURE)
    min_qty = serializers.CharField(allow_null=True, **_FIGURE)
    max_floor = serializers.CharField(allow_null=True, **_FIGURE)
    expire_at = serializers.DateTimeField(allow_null=True)
    expire_date = serializers.DateField(allow_null=True)
    cum_qty = serializers.CharField(**_FIGURE)
    leaves_qty = serializers.CharField(**_FIGURE)
    avg_px = serializers.CharField(allow_null=True, **_FIGURE)
    cl_ord_id = serializers.CharField(allow_null=True)
    venue_order_id = serializers.CharField(allow_null=True, allow_blank=True)
    entered_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    version = serializers.IntegerField()
    ord_status = serializers.CharField(allow_null=True)
    request_state = serializers.CharField()
    is_open = serializers.BooleanField()
    ticket = TicketDocument()


class OrderWithVersions(OrderDocument):
    """One order, with every version of what was asked, the first instruction first."""

    versions = VersionDocument(many=True)


class OrderPage(serializers.Serializer[Any]):
    """A page of orders, the newest first; ``next_cursor`` leads on and is null on the last."""

    orders = OrderDocument(many=True)
    next_cursor = serializers.UUIDField(allow_null=True)


ORDER_EXAMPLE = OpenApiExample(
    "A limit order",
    request_only=True,
    value={
        "client_order_id": "pms-4711",
        "account": "ALPHA-1",
        "symbol": "VOD.L",
        "side": "buy",
        "ord_type": "limit",
        "order_qty": "1000",
        "price": "72.50",
    },
)
RELEASED_EXAMPLE = OpenApiExample(
    "Released",
    response_only=True,
    status_codes=["201"],
    value={
        "order_id": "01a21643-0000-7000-8000-000000000001",
        "ref": "O-2611-000003",
        "request_id": "01a21643-0000-7000-8000-000000000002",
        "cl_ord_id": "F2611000003.1",
        "outcome": "released",
        "state": "released",
        "authorisation_id": None,
        "checks": [{"code": "TICK", "verdict": "pass"}],
    },
)
