"""The content security policy of every page: own origin only, nothing inline, nothing evaluated."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse


def stream_origin(request: HttpRequest) -> str:
    """Where browsers reach the stream server: the configured address, else the same host on the stream port.

    Empty for a host that is not ours: its refusal carries the policy too.
    """
    if settings.STREAM_URL:
        return str(settings.STREAM_URL)
    try:
        host = request.get_host()
    except DisallowedHost:
        return ""
    if not host.endswith("]"):  # an IPv6 address without a port has colons of its own
        host = host.rsplit(":", 1)[0]
    return f"{request.scheme}://{host}:{settings.STREAM_PORT}"


class ContentSecurityPolicyMiddleware:
    """Adds the policy and the headers Django has no setting for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
            f"connect-src 'self' {stream_origin(request)}; worker-src 'self'; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'"
        )
        response.headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=()"
        return response
