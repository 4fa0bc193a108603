"""Who a token belongs to."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from authorisation.domain.scopes import ANY_KEY
from authorisation.models import ApiKey


class MeAnswer(serializers.Serializer[Any]):
    """As the document describes it. ``scopes`` is null for a token that nothing narrows."""

    username = serializers.CharField()
    key = serializers.CharField()
    scheme = serializers.ChoiceField(choices=ApiKey.Scheme.values)
    scopes = serializers.ListField(child=serializers.CharField(), allow_null=True)


class MeView(APIView):
    """``/me``: the user behind the key, and what it opens. Partners use it to see that a key works."""

    scopes = {"GET": ANY_KEY}

    @extend_schema(operation_id="me", responses={200: MeAnswer})
    def get(self, request: Request) -> Response:
        key = request.auth
        assert isinstance(key, ApiKey)
        return Response({"username": key.user.username, "key": key.name, "scheme": key.scheme, "scopes": key.scopes})
