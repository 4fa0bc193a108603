"""How the OpenAPI document describes our tokens. Imported with the addresses, because importing it registers it."""

from __future__ import annotations

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """A bearer token in the Authorization header."""

    target_class = "authorisation.api.authentication.ApiKeyAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """The scheme object of the document."""
        return {"type": "http", "scheme": "bearer"}


class SignedRequestScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """A signature in the Authorization header."""

    target_class = "authorisation.api.authentication.SignedRequestAuthentication"
    name = "signature"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """The scheme object of the document; no tool knows ours, so its words say where the rule stands."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "OMS-HMAC-SHA256 key=…,time=…,nonce=…,signature=…: see docs/formats/partner_api.md.",
        }
