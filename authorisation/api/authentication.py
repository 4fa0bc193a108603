"""Who calls the API: partners sign each request, people and programs of the house may bring a bearer token outside live.

Every refusal has a code, a sentence and a line of the security log. What is wrong with an unknown, ended or foreign key is
told to the log alone; clock, address and rate are told to whoever proved to hold the secret.
"""

from __future__ import annotations

import logging
from uuid import UUID

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from authorisation import security_log
from authorisation.domain.api_keys import comes_from
from authorisation.domain.signing import (
    SCHEME,
    WINDOW_S,
    Credentials,
    is_signature,
    read_credentials,
    text_to_sign,
)
from authorisation.models import ApiKey, User
from authorisation.sealing import unseal
from authorisation.selectors import find_api_key, find_signing_key, is_live
from authorisation.services.issue_signed_key import sealed_about
from authorisation.services.use_key import use_key
from authorisation.sources import source_of
from kernel.clock import utc_now
from kernel.errors import Invalid, OmsError, Unauthenticated

MAX_SIGNED_BODY = 5 * 1024 * 1024
NO_SECRET = "no key has this secret: it is compared where none is known, so that both take as long"  # noqa: S105


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer <token>``. ``request.auth`` becomes the ApiKey with its ``principal``, in one statement.

    An unknown, expired or revoked token and a disabled user answer alike. Live takes no bearer tokens at all: who sees
    one could use it for anything.
    """

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        header = request.headers.get("Authorization", "")
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            return None
        if not settings.BEARER_TOKENS:
            refused = Unauthenticated("SIGNATURE_REQUIRED", "Bearer tokens are not taken here: sign the request.")
            raise _logged(refused, request)
        key = find_api_key(token.strip(), at=utc_now())
        if key is None:
            security_log.write("API_REFUSED", source=source_of(request._request), refusal_code="TOKEN_UNKNOWN")
            raise AuthenticationFailed("The token is not valid.")
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        return f"{SCHEME}, Bearer" if settings.BEARER_TOKENS else SCHEME


class SignedRequestAuthentication(BaseAuthentication):
    """``Authorization: OMS-HMAC-SHA256 key=…,time=…,nonce=…,signature=…``; what is signed: ``domain/signing.py``."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        scheme, _, parameters = request.headers.get("Authorization", "").partition(" ")
        if scheme.upper() != SCHEME:
            return None
        try:
            return self._signer(request, parameters)
        except OmsError as error:
            raise _logged(error, request) from error

    def authenticate_header(self, request: Request) -> str:
        return SCHEME

    def _signer(self, request: Request, parameters: str) -> tuple[User, ApiKey]:
        at = utc_now()
        try:
            given = read_credentials(parameters)
            text = _text(request, given)
        except ValueError as problem:
            sentence = f"The Authorization header or the query cannot be read: {problem}."
            raise Unauthenticated("SIGNATURE_MALFORMED", sentence) from problem
        key = find_signing_key(UUID(given.key))
        secret = unseal(key.sealed_secret, about=sealed_about(key.pk)) if key else NO_SECRET.encode()
        signed = is_signature(secret.decode(), text, given.signature)
        if key is None or not signed or not is_live(key, at=at):
            why = "unknown" if key is None else "wrong signature" if not signed else "ended"
            raise Unauthenticated(
                "SIGNATURE_INVALID",
                "The key is not known or is over, or the signature is not that of this request.",
            ) from _Why(why, given.key)
        off = given.time - int(at.timestamp())
        if abs(off) > WINDOW_S:
            way = "ahead of" if off > 0 else "behind"
            sentence = f"The request is stamped {abs(off)} s {way} our clock; {WINDOW_S} s are taken. Set your clock."
            raise Unauthenticated("SIGNATURE_TIME", sentence, {"server_time": int(at.timestamp()), "seconds_off": off})
        source = source_of(request._request)
        if not comes_from(key.addresses, source):
            sentence = f"This key may not come from {source or 'an unknown address'}."
            raise Unauthenticated("ADDRESS_REFUSED", sentence, {"source": source})
        view = (request.parser_context or {}).get("view")
        use_key(key=key, nonce=given.nonce, at=at, source=source, removes_risk=getattr(view, "removes_risk", False))
        return key.user, key


class _Why(Exception):
    """What the log is told of a key, and nobody else."""

    def __init__(self, why: str, key_id: str) -> None:
        super().__init__(why)
        self.key_id = key_id


def _text(request: Request, given: Credentials) -> bytes:
    """What must have been signed. Raises Invalid BODY_TOO_LARGE before it reads one that is."""
    plain = request._request
    if int(plain.META.get("CONTENT_LENGTH") or 0) > MAX_SIGNED_BODY:
        raise Invalid("BODY_TOO_LARGE", "The body is larger than 5 MB.")
    return text_to_sign(
        method=plain.method or "",
        path=plain.path,
        query=plain.META.get("QUERY_STRING", ""),
        body=plain.body,
        time=given.time,
        nonce=given.nonce,
        key=given.key,
        idempotency_key=request.headers.get("Idempotency-Key", ""),
    )


def _logged(error: OmsError, request: Request) -> OmsError:
    """The error, told to the security log with what only that may know."""
    cause = error.__cause__
    facts = {"why": str(cause), "key_id": cause.key_id} if isinstance(cause, _Why) else {}
    source = source_of(request._request)
    security_log.write("API_REFUSED", source=source, level=logging.WARNING, refusal_code=error.code, **facts)
    return error
