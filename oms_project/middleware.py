"""What every answer carries and no view decides: content security policy, caching, and that the API is never plain.

The policy allows the own origin only, nothing inline, nothing evaluated. Nothing a view made is kept by a browser or a
proxy: what was shown is gone with the session.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, JsonResponse


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
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers.setdefault("Cache-Control", "no-store")  # static files say how long themselves
        return response


class ApiOverTlsMiddleware:
    """Refuses a call of the API over plain HTTP where pages are led to HTTPS: a redirect would hide from a partner that
    its key or signature has just crossed the network in the clear.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SECURE_SSL_REDIRECT and request.path.startswith("/api/") and not request.is_secure():
            sentence = "The API answers over HTTPS only; a secret sent in the clear must be replaced."
            return JsonResponse({"code": "TLS_NEEDED", "sentence": sentence, "context": {}}, status=403)
        return self.get_response(request)
