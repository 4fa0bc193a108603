"""Bodies of the API: strict on the way in (unknown fields are errors), plain text decimals on the way out."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from orders.domain.terms import DISCRETIONS, OrderTerms, ReplaceTerms
from orders.domain.words import ORD_TYPES, SIDES, TIMES_IN_FORCE
from risk.domain.answers import Acknowledgement

_NUMBER: dict[str, Any] = {"max_digits": 24, "decimal_places": 8}


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that names every field it does not know."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = sorted(set(data) - set(self.fields))
            if unknown:
                raise serializers.ValidationError({name: ["This field is not known."] for name in unknown})
        return super().to_internal_value(data)


@extend_schema_field(
    {
        "anyOf": [
            {"type": "string", "pattern": r"^([1-9][0-9]{0,15}(\.[0-9]{1,8})?|0\.[0-9]{0,7}[1-9])$"},
            {"type": "number", "minimum": 0, "exclusiveMinimum": True, "maximum": 9_999_999_999_999_999},
        ]
    }
)
class PositiveDecimal(serializers.DecimalField):
    """A finite decimal above zero, as JSON text or number; at most 16 digits before and 8 after the point."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**_NUMBER, **kwargs)

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, bool):
            self.fail("invalid")
        value = super().to_internal_value(data)
        if value <= 0:
            raise serializers.ValidationError("Must be above zero.")
        return value


class AcknowledgementSerializer(StrictSerializer):
    """A warning the sender has seen and answers for."""

    code = serializers.RegexField(r"^[A-Z0-9_]{1,60}$")
    reason = serializers.CharField(max_length=200)


class OrderBodySerializer(StrictSerializer):
    """A new order. Prices are in the listing's price unit: ``7234`` pence is 72.34 pounds."""

    client_order_id = serializers.CharField(max_length=64, required=False, default="")
    account = serializers.CharField(max_length=24)
    symbol = serializers.CharField(max_length=24)
    side = serializers.ChoiceField(choices=sorted(SIDES))
    ord_type = serializers.ChoiceField(choices=sorted(ORD_TYPES))
    order_qty = PositiveDecimal()
    time_in_force = serializers.ChoiceField(choices=sorted(TIMES_IN_FORCE), default="day")
    price = PositiveDecimal(required=False, allow_null=True, default=None)
    stop_px = PositiveDecimal(required=False, allow_null=True, default=None)
    min_qty = PositiveDecimal(required=False, allow_null=True, default=None)
    max_floor = PositiveDecimal(required=False, allow_null=True, default=None)
    expire_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    expire_date = serializers.DateField(required=False, allow_null=True, default=None)
    locate_ref = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")
    strategy = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    capacity = serializers.ChoiceField(choices=["A", "G", "I", "P", "R", "W"], default="A")
    instructed_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    instructed_by = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    discretion = serializers.ChoiceField(
        choices=[name for name in DISCRETIONS if name], required=False, allow_blank=True, default=""
    )
    acknowledgements = AcknowledgementSerializer(many=True, required=False, default=list)


class ReplaceBodySerializer(StrictSerializer):
    """What should hold after the replace; absent fields stay. ``order_qty`` is the total, executed included.

    ``staged``: where the venue does not replace it, cancel the order and, once that is proven, enter the rest anew.
    """

    order_qty = PositiveDecimal(required=False, allow_null=True, default=None)
    price = PositiveDecimal(required=False, allow_null=True, default=None)
    stop_px = PositiveDecimal(required=False, allow_null=True, default=None)
    min_qty = PositiveDecimal(required=False, allow_null=True, default=None)
    max_floor = PositiveDecimal(required=False, allow_null=True, default=None)
    time_in_force = serializers.ChoiceField(
        choices=sorted(TIMES_IN_FORCE), required=False, allow_null=True, default=None
    )
    expire_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    expire_date = serializers.DateField(required=False, allow_null=True, default=None)
    staged = serializers.BooleanField(required=False, default=False)
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    acknowledgements = AcknowledgementSerializer(many=True, required=False, default=list)


class CancelBodySerializer(StrictSerializer):
    """Why the order should be canceled."""

    reason = serializers.CharField(max_length=200)


class BatchBodySerializer(StrictSerializer):
    """1 to 500 orders, each judged on its own. Rows are checked one by one, so that a bad one loses no good one."""

    orders = serializers.ListField(child=serializers.DictField(), min_length=1, max_length=500)


def acknowledgements(body: Mapping[str, Any]) -> tuple[Acknowledgement, ...]:
    """The warnings the sender answers for."""
    return tuple(Acknowledgement(code=one["code"], reason=one["reason"]) for one in body["acknowledgements"])


def order_terms(body: Mapping[str, Any]) -> OrderTerms:
    """The canonical order of a validated body."""
    return OrderTerms(
        account=body["account"].strip().upper(),
        symbol=body["symbol"].strip().upper(),
        side=SIDES[body["side"]],
        ord_type=ORD_TYPES[body["ord_type"]],
        order_qty=body["order_qty"],
        time_in_force=TIMES_IN_FORCE[body["time_in_force"]],
        price=body["price"],
        stop_px=body["stop_px"],
        min_qty=body["min_qty"],
        max_floor=body["max_floor"],
        expire_at=body["expire_at"],
        expire_date=body["expire_date"],
        locate_ref=body["locate_ref"],
        client_order_id=body["client_order_id"],
        capacity=body["capacity"],
        strategy=body["strategy"],
        instructed_at=body["instructed_at"],
        instructed_by=body["instructed_by"],
        discretion=body["discretion"],
    )


def replace_terms(body: Mapping[str, Any]) -> ReplaceTerms:
    """The replace terms of a validated body."""
    time_in_force = body["time_in_force"]
    return ReplaceTerms(
        order_qty=body["order_qty"],
        price=body["price"],
        stop_px=body["stop_px"],
        time_in_force=TIMES_IN_FORCE[time_in_force] if time_in_force else None,
        expire_at=body["expire_at"],
        expire_date=body["expire_date"],
        min_qty=body["min_qty"],
        max_floor=body["max_floor"],
    )
