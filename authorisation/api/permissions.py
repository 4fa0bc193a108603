"""Whether a key was given the scope of the address it asks for. Fail closed: an address that names no scope answers nobody."""

from __future__ import annotations

import logging
from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from authorisation import security_log
from authorisation.domain.scopes import opens
from authorisation.models import ApiKey
from authorisation.sources import source_of
from kernel.errors import NotPermitted


class HasScope(BasePermission):
    """A view names its scopes by method: ``scopes = {"GET": ORDERS_READ}``. Other methods are not there to be permitted."""

    def has_permission(self, request: Request, view: Any) -> bool:
        key = request.auth
        if not isinstance(key, ApiKey):
            return False
        method = "GET" if request.method == "HEAD" else request.method or ""
        if method == "OPTIONS" or not hasattr(view, method.lower()):
            return True
        scope = getattr(view, "scopes", {}).get(method)
        if scope is None or not opens(key.scopes, scope):
            source = source_of(request._request)
            security_log.write(
                "API_REFUSED",
                user=key.principal.actor,
                source=source,
                level=logging.WARNING,
                refusal_code="SCOPE_MISSING",
                scope=scope or "",
            )
            wanted = scope or "that this address has not"
            raise NotPermitted("SCOPE_MISSING", f"This key was not given the scope {wanted}.", {"scope": scope})
        return True
