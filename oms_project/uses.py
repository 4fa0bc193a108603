"""Behind every answer: a note of who came and which rights were used for it, for reviews of access."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from authorisation.services.note_uses import note_uses
from kernel.clock import utc_now

logger = logging.getLogger(__name__)


class AccessUseMiddleware:
    """The edge of pages leaves the principal with the request, that of the API the key with its own; what it used is kept
    once it has been answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        principal = getattr(request, "principal", None) or getattr(getattr(request, "auth", None), "principal", None)
        if principal is not None:
            try:
                note_uses(actor=principal, at=utc_now())
            except DatabaseError:  # a measure: what was done stands, and so does its answer
                logger.exception("The use of rights by %s was not noted.", principal.actor)
        return response
