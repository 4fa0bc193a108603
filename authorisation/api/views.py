"""Who a token belongs to."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from authorisation.domain.scopes import ANY_KEY
from authorisation.models import ApiKey


class MeView(APIView):
    """``/me``: the user behind the key, and what it opens. Partners use it to see that a key works."""

    scopes = {"GET": ANY_KEY}

    @extend_schema(operation_id="me", responses={200: dict})
    def get(self, request: Request) -> Response:
        key = request.auth
        assert isinstance(key, ApiKey)
        return Response({"username": key.user.username, "key": key.name, "scheme": key.scheme, "scopes": key.scopes})
