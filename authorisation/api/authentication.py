"""Bearer tokens for the API: ``Authorization: Bearer <token>``."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from authorisation.models import ApiKey, User
from authorisation.selectors import find_api_key
from kernel.clock import utc_now


class ApiKeyAuthentication(BaseAuthentication):
    """``request.auth`` becomes the ApiKey with its ``principal``, loaded in one statement.

    An unknown, expired or revoked token and a disabled user answer alike.
    """

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        header = request.headers.get("Authorization", "")
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            return None
        key = find_api_key(token.strip(), at=utc_now())
        if key is None:
            raise AuthenticationFailed("The token is not valid.")
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
