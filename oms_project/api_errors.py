"""One shape for every API error: ``{"code", "sentence", "context", "fields"?}``."""

from __future__ import annotations

import logging
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.views import defaults
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler as rest_exception_handler

from authorisation import security_log
from authorisation.domain.signing import SCHEME
from authorisation.sources import source_of
from kernel.canonical import jsonable
from kernel.errors import Invalid, NotFound, NotPermitted, OmsError, TooMany, Unauthenticated, Unavailable

logger = logging.getLogger(__name__)
API = "/api/"


def error_body(error: OmsError) -> dict[str, Any]:
    """The JSON body of one of our errors."""
    body: dict[str, Any] = {"code": error.code, "sentence": error.sentence, "context": jsonable(error.context)}
    if isinstance(error, Invalid):
        body["fields"] = error.fields
    return body


def _headers(error: OmsError) -> dict[str, str]:
    if isinstance(error, Unavailable):
        return {"Retry-After": "1"}
    if isinstance(error, TooMany):
        return {"Retry-After": str(error.context.get("retry_after_s", 1))}
    return {"WWW-Authenticate": SCHEME} if isinstance(error, Unauthenticated) else {}


def _log_refusal(error: OmsError, context: dict[str, Any]) -> None:
    """As pages do. What an unknown caller or a missing scope was refused is logged where it was found."""
    request = context.get("request")
    if request is None or not isinstance(error, NotPermitted | NotFound) or error.code == "SCOPE_MISSING":
        return
    told = {"method": request.method, "path": request.path, "refusal_code": error.code}
    actor = str(getattr(request.user, "actor", "") or "")
    level = logging.WARNING if isinstance(error, NotPermitted) else logging.INFO
    security_log.write("ACCESS_REFUSED", user=actor, source=source_of(request), level=level, **told)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Ours by their class, the framework's in the same shape; anything else is logged and left to become a 500.

    A database that went away is a 503: the caller cannot know whether the commit took place, and its key makes it safe to ask again.
    """
    if isinstance(error, OperationalError | InterfaceError):
        logger.warning("an API call met a database that is away: %s", error)
        error = Unavailable(
            "DATABASE_AWAY", "The database does not answer just now; repeat the call with the same Idempotency-Key."
        )
    if isinstance(error, OmsError):
        _log_refusal(error, context)
        return Response(error_body(error), status=error.http_status, headers=_headers(error))
    response = rest_exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, ValidationError):
        response.data = {
            "code": "BODY_INVALID",
            "sentence": "Some fields are missing, unknown or malformed.",
            "context": {},
            "fields": response.data,
        }
    elif isinstance(error, APIException):
        code = str(error.get_codes() if isinstance(error.get_codes(), str) else "ERROR").upper()
        response.data = {"code": code, "sentence": str(error.detail), "context": {}}
    return response


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """An address that is none: JSON under the API, a page elsewhere."""
    if request.path.startswith(API):
        return _plain(404, "NOT_FOUND", "There is no such address.")
    return defaults.page_not_found(request, exception)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """What the frame itself refuses to read."""
    if request.path.startswith(API):
        return _plain(400, "REQUEST_INVALID", "The request cannot be read.")
    return defaults.bad_request(request, exception)


def failed(request: HttpRequest) -> HttpResponseBase:
    """Something went wrong here; the log has it."""
    if request.path.startswith(API):
        return _plain(500, "FAILED", "Something went wrong here. It is written down; ask again with the same key.")
    return defaults.server_error(request)


def _plain(status: int, code: str, sentence: str) -> JsonResponse:
    return JsonResponse({"code": code, "sentence": sentence, "context": {}}, status=status)
