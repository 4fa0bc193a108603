"""What the API of accounts, prices and stops answers, as its OpenAPI document describes it. Nothing is serialised by these."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from risk.models import Scope


class CashAnswer(serializers.Serializer[Any]):
    """Cash of an account; a line a currency with figures as text."""

    account = serializers.CharField()
    definitions = serializers.DictField(child=serializers.CharField())
    cash = serializers.ListField(child=serializers.DictField())


class PositionsAnswer(serializers.Serializer[Any]):
    """Stock of an account; a line an instrument with figures as text."""

    account = serializers.CharField()
    cost_method = serializers.CharField()
    positions = serializers.ListField(child=serializers.DictField())


class PricesAnswer(serializers.Serializer[Any]):
    """Prices in the listing's price unit, as text; symbols that name nothing."""

    at = serializers.DateTimeField()
    prices = serializers.ListField(child=serializers.DictField())
    unknown = serializers.ListField(child=serializers.CharField(allow_blank=True))


class PressedStop(serializers.Serializer[Any]):
    """One scope that is stopped now; ``new`` is false where it was before."""

    stop_id = serializers.UUIDField()
    scope = serializers.ChoiceField(choices=Scope.values)
    name = serializers.CharField()
    engaged_at = serializers.DateTimeField()
    new = serializers.BooleanField()


class PressAnswer(serializers.Serializer[Any]):
    """``drained``: nothing was on its way to a venue when the stops were committed."""

    stops = PressedStop(many=True)
    drained = serializers.BooleanField()


class StopProofDocument(serializers.Serializer[Any]):
    """A stop and what is proven of it, venue by venue and order by order."""

    stop_id = serializers.UUIDField()
    scope = serializers.ChoiceField(choices=Scope.values)
    name = serializers.CharField()
    reason = serializers.CharField()
    by = serializers.CharField()
    engaged_at = serializers.DateTimeField()
    released_at = serializers.DateTimeField(allow_null=True)
    heard = serializers.BooleanField()
    to_reach = serializers.IntegerField(allow_null=True)
    orders = serializers.IntegerField(allow_null=True)
    proven = serializers.IntegerField(allow_null=True)
    unproven = serializers.IntegerField(allow_null=True)
    filled_after_the_press = serializers.IntegerField()
    states = serializers.DictField(child=serializers.IntegerField())
    press_to_last_cancel_sent_s = serializers.FloatField(allow_null=True)
    press_to_last_outcome_s = serializers.FloatField(allow_null=True)
    venues = serializers.ListField(child=serializers.DictField())
    unproven_orders = serializers.ListField(child=serializers.DictField())
    unproven_orders_not_shown = serializers.IntegerField()


class StopsAnswer(serializers.Serializer[Any]):
    """What stands."""

    stops = StopProofDocument(many=True)


class ReleaseAnswer(serializers.Serializer[Any]):
    """What waits for a second person now."""

    authorisation_id = serializers.UUIDField()
    sentence = serializers.CharField()
