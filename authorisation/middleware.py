"""The session of each request, and what counts as using it.

A page that draws itself anew keeps nobody signed in. Real use is: asking for a whole page, changing something, or asking
for a part while the browser says that a key or the pointer was touched since (``X-Used``, set by ``static/js/frame.js``).
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware as DjangoSessionMiddleware
from django.http import HttpRequest, HttpResponse

from authorisation.session_store import SessionStore
from kernel.clock import utc_now

USED = "X-Used"
SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")


def is_part(request: HttpRequest) -> bool:
    """Whether the browser's script asks: for a piece of a page, or for data. It cannot follow to a sign-in page."""
    return request.headers.get("HX-Request") == "true" or request.path.endswith(".json")


def is_real_use(request: HttpRequest) -> bool:
    """Whether a person did this, not a clock in a page."""
    return request.method not in SAFE or not is_part(request) or request.headers.get(USED) == "1"


class SessionMiddleware(DjangoSessionMiddleware):
    """Django's, which notes real use, and takes the cookie from no browser because a part of a page came late.

    A part that was asked for under the cookie of a moment ago, while the person confirmed who they are and got a new one,
    is answered 401; deleting the cookie with it would delete the new one.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        session = getattr(request, "session", None)
        if isinstance(session, SessionStore):
            if is_part(request) and session.is_empty():
                request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
            elif session.accessed and is_real_use(request) and response.status_code < 500:
                session.note_use(utc_now())
        return super().process_response(request, response)
