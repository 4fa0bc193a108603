"""Bodies and answers of the API of blocks: what is read strictly, and what the document of the API shows."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from allocations.domain.methods import MOST_LINES
from allocations.domain.words import Method
from orders.api.serializers import StrictSerializer


class LinesField(serializers.ListField):
    """Lines of an allocation: objects, whose content ``domain.methods`` reads. Ten thousand are looked at at once."""

    child = serializers.DictField()

    def run_child_validation(self, data: Any) -> Any:
        """As they are, where all are objects; else what is wrong, by line."""
        return data if set(map(type, data)) <= {dict} else super().run_child_validation(data)


class BookBodySerializer(StrictSerializer):
    """How a block is to be divided. Lines and parameters are read by ``domain.methods``, which says what is wrong by line."""

    method = serializers.ChoiceField(choices=[method.value for method in Method])
    scheme = serializers.CharField(max_length=24, allow_blank=True, default="")
    lines = LinesField(max_length=MOST_LINES, default=list)
    parameters = serializers.DictField(default=dict)
    reason = serializers.CharField(max_length=500, allow_blank=True, default="")
    preview = serializers.RegexField(r"^([0-9a-f]{64})?$", allow_blank=True, default="")


class PreviewBodySerializer(StrictSerializer):
    """How a block would be divided: typed ``lines`` by ``method``, else a ``scheme``, else what was said beforehand."""

    method = serializers.CharField(max_length=16, allow_blank=True, default="", help_text="As of the booking")
    scheme = serializers.CharField(max_length=24, allow_blank=True, default="")
    lines = LinesField(max_length=MOST_LINES, allow_null=True, default=None)
    parameters = serializers.DictField(default=dict)


class ReleaseLineBodySerializer(StrictSerializer):
    """Which parked line of the block."""

    line = serializers.RegexField(r"^A-[0-9]{1,18}$")


class BlockAnswer(serializers.Serializer[Any]):
    """A block; ``said`` and ``waiting_for`` of one block alone."""

    ref = serializers.CharField()
    kind = serializers.CharField(help_text="block or direct")
    state = serializers.CharField()
    desk = serializers.CharField()
    account = serializers.CharField()
    symbol = serializers.CharField()
    side = serializers.CharField()
    qty = serializers.CharField()
    avg_px = serializers.CharField()
    cash = serializers.CharField()
    currency = serializers.CharField()
    trade_date = serializers.DateField()
    settlement_date = serializers.DateField()
    round = serializers.IntegerField()
    method = serializers.CharField(allow_null=True)
    scheme = serializers.CharField(allow_null=True)
    allocated_qty = serializers.CharField()
    booked_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()
    waiting_for = serializers.UUIDField(allow_null=True, required=False)
    said = serializers.DictField(allow_null=True, required=False)


class BlocksAnswer(serializers.Serializer[Any]):
    """Newest first, at most two hundred."""

    blocks = BlockAnswer(many=True)


class AllocationAnswer(serializers.Serializer[Any]):
    """What one account got in one round; figures never change, another round replaces them."""

    ref = serializers.CharField()
    round = serializers.IntegerField()
    account = serializers.CharField()
    side = serializers.CharField()
    qty = serializers.CharField()
    avg_px = serializers.CharField()
    gross = serializers.CharField()
    charges = serializers.ListField(child=serializers.ListField())
    fees = serializers.CharField()
    net = serializers.CharField()
    rounding = serializers.BooleanField()
    state = serializers.ChoiceField(choices=("booked", "parked", "reversed", "compensated"))
    reason = serializers.CharField(allow_null=True)
    trade_date = serializers.DateField()
    settlement_date = serializers.DateField()
    compensates = serializers.UUIDField(allow_null=True)
    booked_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class AllocationsAnswer(serializers.Serializer[Any]):
    """A page of a thousand, by number."""

    allocations = AllocationAnswer(many=True)
    next = serializers.IntegerField()
    more = serializers.BooleanField()


class WhyAnswer(serializers.Serializer[Any]):
    """Why a second person must look."""

    code = serializers.CharField()
    sentence = serializers.CharField()


class BookAnswer(serializers.Serializer[Any]):
    """``outcome`` booked (200) or pending_authorisation (202): then nothing has moved."""

    block = serializers.CharField()
    outcome = serializers.ChoiceField(choices=("booked", "pending_authorisation"))
    round = serializers.IntegerField()
    lines = serializers.IntegerField()
    parked = serializers.IntegerField()
    rounding = serializers.CharField()
    error = serializers.CharField()
    authorisation_id = serializers.UUIDField(allow_null=True)
    whys = WhyAnswer(many=True)


class MoneyAnswer(serializers.Serializer[Any]):
    """An amount in one currency."""

    amount = serializers.CharField()
    currency = serializers.CharField()


class PreviewLineAnswer(serializers.Serializer[Any]):
    """What one account would get. ``checks``: code and sentence of everything for which its share would be parked; ``said``: what it has by
    lines that stand, or would have by what was said beforehand."""

    account = serializers.CharField()
    qty = serializers.CharField()
    exact = serializers.CharField(help_text="Before lots and minimum sizes")
    gross = serializers.CharField()
    fees = serializers.CharField()
    net = serializers.CharField()
    charges = serializers.ListField(child=serializers.ListField(), required=False)
    checks = serializers.ListField(child=serializers.ListField(child=serializers.CharField()), required=False)
    said = serializers.CharField(required=False)


class AllocationPreviewAnswer(serializers.Serializer[Any]):
    """A block divided on the facts of now; hand ``digest`` over as ``preview`` of the booking. ``needs_second_person``: empty where one
    person may book it. ``firm_value`` is null where no fresh rate says it."""

    block = serializers.CharField()
    method = serializers.CharField()
    scheme = serializers.CharField(allow_blank=True)
    avg_px = serializers.CharField()
    value = MoneyAnswer()
    firm_value = MoneyAnswer(allow_null=True)
    qty = serializers.CharField()
    gross = serializers.CharField()
    residual = serializers.CharField()
    fees = serializers.CharField()
    is_partial = serializers.BooleanField()
    needs_second_person = WhyAnswer(many=True)
    digest = serializers.CharField()
    left_out = serializers.DictField(child=serializers.CharField())
    lines = PreviewLineAnswer(many=True)
